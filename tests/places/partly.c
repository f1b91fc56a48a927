// SPDX-License-Identifier: GPL-2.0-only
/* tests/places/partly.c - with -Os, gcc splits partly() after its first test and then copies the rest back
 * in: to debug information a function that is inlined into itself. */
void lock(int *mutex), unlock(int *mutex), warn(const char *text, int n);
int more(int n), count, mutex[4];

int partly(void)
{
	int error = 0;

	if (!count) {
		lock(mutex);
		if (!count) {
			if (more(3)) {
				error = -16;
			} else {
				warn("a", 1);
				count++;
			}
		}
		unlock(mutex);
	}
	return error;
}

int caller(int n)
{
	if (n > 3)
		return partly() + 1;
	return more(n);
}
