// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockets - `sockets N` sends and receives N times through a pair of sockets, under the name `sockets`,
 * and prints nothing: what it did to the kernel's net/socket.c is known from N.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char bytes[16] = "";
	int fds[2];

	if (argc != 2 || syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds))
		return 1;
	for (int left = atoi(argv[1]); left > 0; left--)
		if (syscall(SYS_sendto, fds[0], bytes, sizeof(bytes), 0, NULL, 0) != sizeof(bytes) ||
		    syscall(SYS_recvfrom, fds[1], bytes, sizeof(bytes), 0, NULL, NULL) != sizeof(bytes))
			return 1;
	return 0;
}
