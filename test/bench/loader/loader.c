/*
 * Sends DNS queries by UDP and tells what became of them. It reads and writes
 * many messages a call, so that on a core of its own it saturates any server on
 * one core; dnsperf, which makes calls for each message, does not.
 *
 * Usage: loader PORT FILE SOCKETS WINDOW RATE SECONDS
 *
 * FILE holds queries as TCP carries them (dnsperf -B); they are sent in turn to
 * 127.0.0.1. At most WINDOW are outstanding. With a RATE, that many are sent a
 * second, whatever comes back; with 0, as many as the window allows. It ends
 * after SECONDS or at SIGTERM. Tied to one CPU it does not sleep: to wake it would
 * cost the server up to a fifth of its CPU. Latency is from before the call that
 * sends to the kernel's time of arrival, so that waking up late does not count.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
	BATCH = 32,
	SIZE = 4096,
	HEADER = 12,
	IDS = 1 << 16,
	MAX_SOCKETS = 64,
	MAX_QUERIES = 1 << 20,
	MAX_SAMPLES = 1 << 26,
	RECEIVE_BUFFER = 4 << 20,
};

static const int64_t second = 1000000000, step = 100000, patience = 1000000000;

static struct { uint8_t *octets; size_t size; } queries[MAX_QUERIES];
static int query_count, next_query;

static int sockets[MAX_SOCKETS];
static int socket_count, next_socket;

/*
 * When the query of each ID was sent; 0 if it isn't outstanding. The span IDs
 * from oldest_id on are in use or were.
 */
static int64_t sent_at[IDS];
static uint16_t oldest_id;
static int span, outstanding;

static uint64_t sent, answered, lost, by_rcode[16];
static uint32_t *latencies; /* in nanoseconds, of all that are answered */

static int alone; /* tied to one CPU */

static volatile sig_atomic_t ended;

static void on_signal(int number) { ended = number; }

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t); /* the clock that stamps arrivals */
	return t.tv_sec * second + t.tv_nsec;
}

static void read_queries(const char *path) {
	FILE *f = fopen(path, "rb");
	if (!f)
		err(1, "%s", path);
	uint8_t length[2];
	while (query_count < MAX_QUERIES && fread(length, 1, 2, f) == 2) {
		size_t size = length[0] << 8 | length[1];
		uint8_t *octets = malloc(size);
		if (!octets || size < HEADER || fread(octets, 1, size, f) != size)
			errx(1, "%s: query %d is cut off", path, query_count);
		queries[query_count].octets = octets;
		queries[query_count++].size = size;
	}
	if (query_count < BATCH)
		errx(1, "%s: %d queries, at least %d are needed", path, query_count, BATCH);
	fclose(f);
}

static void open_sockets(int port) {
	struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1, buffer = RECEIVE_BUFFER;
	for (int i = 0; i < socket_count; i++) {
		int s = sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (s < 0 || connect(s, (struct sockaddr *)&server, sizeof server) < 0 ||
		    setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
			err(1, "socket to port %d", port);
		if (setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
			setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	}
}

/*
 * Gives up the oldest queries that were sent before a moment, and as many more as
 * it takes for the IDs of another batch to be free.
 */
static void give_up(int64_t before) {
	while (span > 0 && (sent_at[oldest_id] < before || span > IDS - BATCH)) {
		if (sent_at[oldest_id]) {
			sent_at[oldest_id] = 0;
			outstanding--;
			lost++;
		}
		oldest_id++;
		span--;
	}
}

/* Sends up to n queries, at most BATCH, through the next socket. */
static int send_some(int n) {
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	give_up(now() - patience);
	uint16_t next_id = oldest_id + span;
	for (int i = 0; i < n; i++) {
		uint16_t id = next_id + i;
		uint8_t *octets = queries[(next_query + i) % query_count].octets;
		octets[0] = id >> 8;
		octets[1] = id;
		parts[i] = (struct iovec){octets, queries[(next_query + i) % query_count].size};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	int64_t moment = now();
	int done = sendmmsg(sockets[next_socket], messages, n, 0);
	if (done < 0)
		done = 0;
	for (int i = 0; i < done; i++)
		sent_at[(uint16_t)(next_id + i)] = moment;
	next_socket = (next_socket + 1) % socket_count;
	next_query = (next_query + done) % query_count;
	span += done;
	outstanding += done;
	sent += done;
	return done;
}

static int64_t arrival(struct msghdr *m) {
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	if (!c || c->cmsg_type != SO_TIMESTAMPNS)
		return now();
	struct timespec t;
	memcpy(&t, CMSG_DATA(c), sizeof t);
	return t.tv_sec * second + t.tv_nsec;
}

static void take(const uint8_t *octets, size_t size, int64_t moment) {
	uint16_t id = octets[0] << 8 | octets[1];
	if (size < HEADER || !(octets[2] & 0x80) || !sent_at[id])
		return;
	int64_t latency = moment - sent_at[id];
	if (answered < MAX_SAMPLES)
		latencies[answered] = latency < 0 ? 0 : latency > UINT32_MAX ? UINT32_MAX : latency;
	sent_at[id] = 0;
	outstanding--;
	answered++;
	by_rcode[octets[3] & 15]++;
}

/* Takes what one socket has, and returns how many answers that was. */
static int receive_some(int s) {
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	static uint8_t buffers[BATCH][SIZE];
	static _Alignas(struct cmsghdr) uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct timespec))];
	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){buffers[i], SIZE};
		messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &parts[i], .msg_iovlen = 1,
			.msg_control = controls[i], .msg_controllen = sizeof controls[i],
		};
	}
	int n = recvmmsg(s, messages, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++)
		take(buffers[i], messages[i].msg_len, arrival(&messages[i].msg_hdr));
	return n > 0 ? n : 0;
}

/* Waits up to limit for answers and takes them; returns how many there were. */
static int receive(int64_t limit) {
	struct pollfd polled[MAX_SOCKETS];
	for (int i = 0; i < socket_count; i++)
		polled[i] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
	struct timespec t = {limit / second, limit % second};
	if (ppoll(polled, socket_count, &t, NULL) <= 0)
		return 0;
	int total = 0;
	for (int i = 0, n; i < socket_count; i++) {
		if (!polled[i].revents)
			continue;
		do {
			n = receive_some(sockets[i]);
			total += n;
		} while (n == BATCH);
	}
	return total;
}

/* Sends up to n queries. */
static void send_all(int64_t n) {
	while (n > 0) {
		int done = send_some(n < BATCH ? n : BATCH);
		if (!done)
			return;
		n -= done;
	}
}

static void run(int window, int64_t rate, int64_t start, int64_t end) {
	int64_t moment;
	while (!ended && (moment = now()) < end) {
		give_up(moment - patience);
		int64_t room = window - outstanding;
		if (!rate) {
			send_all(room);
			while (!receive(alone ? 0 : second / 100) && !ended && now() < moment + second / 100) {
			}
			continue;
		}
		int64_t due = (moment - start) / 1000 * rate / 1000000 - (int64_t)sent;
		send_all(due < room ? due : room);
		struct timespec t = {0, step};
		nanosleep(&t, NULL);
		receive(0);
	}
}

/* Waits for what is still on its way, as long as anything comes. */
static void drain(void) {
	for (int64_t last = now(); outstanding && now() < last + patience;) {
		if (receive(second / 100))
			last = now();
	}
	lost += outstanding;
}

/* How many answers found no room at our own sockets. */
static uint64_t dropped(void) {
	uint64_t sum = 0;
	for (int i = 0; i < socket_count; i++) {
		uint32_t memory[SK_MEMINFO_VARS];
		socklen_t size = sizeof memory;
		if (getsockopt(sockets[i], SOL_SOCKET, SO_MEMINFO, memory, &size) == 0)
			sum += memory[SK_MEMINFO_DROPS];
	}
	return sum;
}

static int compare(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void report(int64_t took) {
	size_t n = answered < MAX_SAMPLES ? answered : MAX_SAMPLES;
	qsort(latencies, n, sizeof *latencies, compare);
	printf("sent %lu\nanswered %lu\nlost %lu\ndropped %lu\nseconds %.6f\n", sent, answered, lost, dropped(), took / 1e9);
	printf("noerror %lu\nnxdomain %lu\n", by_rcode[0], by_rcode[3]);
	const double shares[] = {50, 99, 99.9};
	for (size_t i = 0; n && i < sizeof shares / sizeof *shares; i++)
		printf("p%g %.3f\n", shares[i], latencies[(size_t)((n - 1) * shares[i] / 100)] / 1e3);
}

int main(int argc, char **argv) {
	if (argc != 7)
		errx(2, "usage: loader PORT FILE SOCKETS WINDOW RATE SECONDS");
	read_queries(argv[2]);
	socket_count = atoi(argv[3]);
	int window = atoi(argv[4]);
	int64_t rate = atoll(argv[5]), length = atof(argv[6]) * second;
	if (socket_count < 1 || socket_count > MAX_SOCKETS || window < 1 || window >= IDS || rate < 0)
		errx(2, "1 to %d sockets, a window of 1 to %d, a rate of 0 or more", MAX_SOCKETS, IDS - 1);
	latencies = malloc(MAX_SAMPLES * sizeof *latencies);
	if (!latencies)
		err(1, "memory for samples");
	cpu_set_t cpus;
	alone = sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) == 1;
	signal(SIGTERM, on_signal);
	prctl(PR_SET_TIMERSLACK, 1);
	open_sockets(atoi(argv[1]));
	int64_t start = now();
	run(window, rate, start, start + length);
	int64_t took = now() - start;
	drain();
	report(took);
}
