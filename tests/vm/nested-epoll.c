// SPDX-License-Identifier: GPL-2.0-only
/* Puts an epoll set into another, that into the next, and so on: the kernel looks for loops by a
 * function that calls itself, once for each set inside. */
#include <sys/epoll.h>

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int inner = epoll_create1(0);

	for (int i = 0; i < 3; i++) {
		int outer = epoll_create1(0);

		if (outer < 0 || epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event))
			return 1;
		inner = outer;
	}
	return 0;
}
