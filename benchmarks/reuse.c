/* A program whose accesses are known: in each phase it goes round and round over so many of its pages, until SIGUSR1, and
 * then waits to be let into the next one. Words: a file of at least FILE_PAGES pages, and how often it goes round at most.
 * Each phase begins and ends with a write to `marker`, by which valgrind's lackey tells them apart; its address is the first
 * line of the output. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096L
#define ANON_PAGES 8192
#define FILE_PAGES 2048
#define SHARED_PAGES 1024

static const struct { int anon, file, shared; } phases[] = {
	{16, 0, 0}, {256, 0, 0}, {2048, 0, 0}, {8192, 0, 0}, {0, 64, 0}, {0, 1024, 0}, {0, 0, 512}, {512, 512, 128},
};
static volatile char marker[2 * PAGE] __attribute__((aligned(4096)));

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	stopped = number;
}

static void say(char word)
{
	if (write(1, &word, 1) != 1)
		exit(1);
}

static void wait_for_gate(void)
{
	char gate;
	if (read(0, &gate, 1) != 1)
		exit(1);
}

static volatile char *map(long pages, int flags, int fd, int prot)
{
	volatile char *at = mmap(0, pages * PAGE, prot, flags, fd, 0);
	if (at == MAP_FAILED)
		exit(3);
	madvise((void *)at, pages * PAGE, MADV_NOHUGEPAGE);
	return at;
}

static long go_round(volatile char *at, int used, int all, int write)
{
	long sum = 0;
	for (int i = 0; i < used; i++) {
		volatile char *page = at + (i * 1237L % all) * PAGE; /* odd, and all is a power of two: no page twice */
		if (write && i % 2)
			*page = (char)i;
		else
			sum += *page;
	}
	return sum;
}

int main(int argc, char **argv)
{
	long rounds = atol(argv[2]), sum = 0;
	int fd = open(argv[1], O_RDONLY);
	volatile char *anon = map(ANON_PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1, PROT_READ | PROT_WRITE);
	volatile char *file = map(FILE_PAGES, MAP_PRIVATE, fd, PROT_READ);
	volatile char *shared = map(SHARED_PAGES, MAP_SHARED | MAP_ANONYMOUS, -1, PROT_READ | PROT_WRITE);
	signal(SIGUSR1, stop);
	for (long i = 0; i < ANON_PAGES; i++)
		anon[i * PAGE] = 1;
	for (long i = 0; i < SHARED_PAGES; i++)
		shared[i * PAGE] = 1;
	sum = go_round(file, FILE_PAGES, FILE_PAGES, 0);
	printf("%lx\n", (long)marker);
	fflush(stdout);
	for (unsigned phase = 0; phase < sizeof(phases) / sizeof(*phases); phase++) {
		stopped = 0;
		wait_for_gate();
		say('b');
		marker[0] = 'b';
		for (long round = 0; round < rounds && !stopped; round++) {
			sum += go_round(anon, phases[phase].anon, ANON_PAGES, 1);
			sum += go_round(file, phases[phase].file, FILE_PAGES, 0);
			sum += go_round(shared, phases[phase].shared, SHARED_PAGES, 1);
		}
		marker[0] = 'e';
		say('e');
	}
	wait_for_gate();
	return sum == 42;
}
