// The servers that the bench measures with. They do nothing but say when they
// were born. tiny/main.go is the same for machines without a C compiler.
//
//   tiny stamp BELL TAG                      lives
//   tiny port BELL TAG PORT                  accepts and closes connections
//   tiny leftover BELL TAG PORT              listens, and so does its child
//   tiny tree BELL TAG                       has a child, and a grandchild in a session of its own
//   tiny write BELL TAG LINES BATCH RATE     at SIGUSR1 writes numbered lines, BATCH in one
//                                            write(2), at most RATE bytes a second (0: no limit)
//
// BELL is a FIFO that takes one line for each event: KIND TAG PID FROM TO,
// where the times are CLOCK_MONOTONIC in nanoseconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 120 };

static int bell;
static const char *tag;

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void ring(const char *kind, long long from, long long to)
{
	char text[256];
	int n = snprintf(text, sizeof text, "%s %s %d %lld %lld\n", kind, tag, (int)getpid(), from, to);
	if (write(bell, text, n) != n)
		_exit(3);
}

static void live(void)
{
	for (;;)
		pause();
}

static int listening(const char *port, long long born)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&to, sizeof to) != 0 || listen(fd, 16) != 0) {
		ring("taken", born, 0);
		_exit(1);
	}
	return fd;
}

static void tree(void)
{
	if (fork() == 0) {
		ring("child", now(), 0);
		live();
	}
	pid_t between = fork();
	if (between == 0) {
		setsid();
		if (fork() == 0) {
			ring("grandchild", now(), 0);
			live();
		}
		_exit(0);
	}
	waitpid(between, NULL, 0);
}

static void number(char *line, long long n)
{
	for (int i = 10; i > 0; i--, n /= 10)
		line[i] = '0' + n % 10;
}

static void wait_for(long long at)
{
	struct timespec t = {at / 1000000000, at % 1000000000};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void write_lines(long long lines, long long batch, long long rate)
{
	char *buf = malloc(batch * LINE);
	memset(buf, 'x', batch * LINE);
	for (long long i = 0; i < batch; i++) {
		buf[i * LINE] = 'n';
		buf[i * LINE + 11] = ' ';
		buf[i * LINE + LINE - 1] = '\n';
	}
	long long from = now();
	for (long long n = 0; n < lines; n += batch) {
		long long count = lines - n < batch ? lines - n : batch;
		for (long long i = 0; i < count; i++)
			number(buf + i * LINE, n + i);
		for (long long done = 0; done < count * LINE;) {
			ssize_t wrote = write(1, buf + done, count * LINE - done);
			if (wrote < 0) {
				ring("broken", from, now());
				_exit(2);
			}
			done += wrote;
		}
		if (rate > 0)
			wait_for(from + (long long)((double)(n + count) * LINE / rate * 1e9));
	}
	ring("written", from, now());
}

int main(int argc, char **argv)
{
	long long born = now();
	if (argc < 4)
		return 64;
	bell = open(argv[2], O_WRONLY | O_CLOEXEC);
	tag = argv[3];
	if (bell < 0)
		return 66;
	if (strcmp(argv[1], "port") == 0 && argc == 5) {
		int fd = listening(argv[4], born);
		ring("born", born, 0);
		for (;;)
			close(accept(fd, NULL, NULL));
	} else if (strcmp(argv[1], "leftover") == 0 && argc == 5) {
		listening(argv[4], born);
		if (fork() == 0)
			live();
		ring("born", born, 0);
	} else if (strcmp(argv[1], "tree") == 0) {
		ring("born", born, 0);
		tree();
	} else if (strcmp(argv[1], "write") == 0 && argc == 7) {
		sigset_t go;
		int sig;
		sigemptyset(&go);
		sigaddset(&go, SIGUSR1);
		sigprocmask(SIG_BLOCK, &go, NULL);
		ring("born", born, 0);
		sigwait(&go, &sig);
		write_lines(atoll(argv[4]), atoll(argv[5]), atoll(argv[6]));
	} else if (strcmp(argv[1], "stamp") == 0) {
		ring("born", born, 0);
	} else {
		return 64;
	}
	live();
}
