/*
 * Sends each datagram back with the QR bit of a DNS message set: what the
 * kernel alone costs a server that reads and writes 32 messages a call.
 *
 * Usage: floor PORT. It listens on 127.0.0.1 until it is killed. Its receive
 * buffer is made large, so that nothing is lost: it is no server's buffer that
 * is measured with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 32, SIZE = 512, FLAGS = 2, QR = 0x80, RECEIVE_BUFFER = 1 << 20 };

static char buffers[BATCH][SIZE];
static struct sockaddr_in peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(int i) {
	parts[i] = (struct iovec){.iov_base = buffers[i], .iov_len = SIZE};
	messages[i].msg_hdr = (struct msghdr){
		.msg_name = &peers[i],
		.msg_namelen = sizeof peers[i],
		.msg_iov = &parts[i],
		.msg_iovlen = 1,
	};
}

static int bound(int port) {
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof address) < 0)
		err(1, "listen on 127.0.0.1 port %d", port);
	int buffer = RECEIVE_BUFFER;
	if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	return s;
}

int main(int argc, char **argv) {
	if (argc != 2)
		errx(2, "usage: floor PORT");
	int s = bound(atoi(argv[1]));
	for (;;) {
		for (int i = 0; i < BATCH; i++)
			prepare(i);
		int n = recvmmsg(s, messages, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0 && errno != EINTR)
			err(1, "recvmmsg");
		for (int i = 0; i < n; i++) {
			parts[i].iov_len = messages[i].msg_len;
			buffers[i][FLAGS] |= QR;
		}
		for (int sent = 0; sent < n;) {
			int now = sendmmsg(s, messages + sent, n - sent, 0);
			sent += now > 0 ? now : 1; /* one that can't be sent is lost */
		}
	}
}
