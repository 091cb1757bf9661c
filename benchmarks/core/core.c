/*
 * The lock-charge-OOM core (README.md) by hand: one thread, everything in static arrays.
 *
 *	core tasks jobs rounds pages stride limit memory seed latency min_granularity wakeup_granularity cost...
 *
 * with the costs in the order of enum cost. Prints the figures, and the CPU seconds that the run took.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core_sched.h"
#include "core_mm.h"
#include "core_memcg.h"

#define BASE 512		/* where the file is mapped */
#define ACCESSES 32		/* in one move of user mode */
#define ZAP_CHUNK 64
#define SUB_BITS 7		/* of the histogram: 128 buckets per power of two */

enum step {
	USER, DOWN_READ, LOOKUP_VMA, HANDLE_FAULT, FIND_FILE_PAGE, LOCK_FILE_PAGE, PREPARE_ANON_VMA, ALLOC_NEW, CHARGE_NEW,
	COPY, MAP, UNLOCK, PUT, FAULT_DONE, UP_READ, LEAVE_PATH, FAULT_FAILED, LEAVE_FAULT,
	DOWN_WRITE, IN_MMAP, UP_WRITE, NEW_TASK, WAIT_CHILD, LEAVE_MM, NOTIFY, SET_LIMIT
};
enum program { CREATE, LIMIT, FIRST, FORK, MORE, WAIT_ONE, FORK_NEXT, MORE_NEXT, WAIT_ALL, END,
	       ATTACH, START, MMAP, TOUCH, MUNMAP, AGAIN, EXIT };

static struct { i64 tasks, jobs, rounds, pages, stride, limit, memory, seed; } size;
static int file_pages, nmms, free_mm = NONE, nvmas, free_vma = NONE;
static i64 faults, cows, retries, max_fault, histogram[(64 - SUB_BITS) << SUB_BITS];

static void note_fault(struct task *task)
{
	spent += cost[EXCEPTION];
	i64 ns = now + spent - task->fault_at;
	int shift = ns >> (SUB_BITS + 1) ? 63 - SUB_BITS - __builtin_clzll(ns) : 0;

	histogram[(shift << SUB_BITS) + (ns >> shift)]++;
	max_fault = max(max_fault, ns);
	faults++;
}

static int find_vma(int m, i64 vpn)
{
	int v = mms[m].last_vma;

	if (v != NONE && vmas[v].start <= vpn && vpn < vmas[v].end)
		return v;
	for (v = mms[m].vmas; v != NONE && vmas[v].end <= vpn; )
		v = vmas[v].next;
	return mms[m].last_vma = v;
}

/* --- a fault: Linux 3.0's file_cow, a step a move --- */
static enum answer lock_file_page(int t)
{
	struct task *task = &tasks[t];
	struct page *page = &pages[task->page];

	if (!task->phase && page->locked_by != NONE && task->allow_retry) {
		mms[task->mm].readers--;
		task->has_mmap_sem = 0;
		task->phase = 1;		/* from now on: the wait without mmap_sem */
	}
	if (task->phase) {
		if (page->locked_by != NONE && !task->sigkill)
			return sleep_on(t, &page->waiters, W_PAGE_LOCK, task->page, 0);
		task->unwinding = page->locked_by == NONE ? 1 : 2;
		task->phase = 0;
		task->step = LEAVE_PATH;
		return NEXT;
	}
	if (!trylock_page(task->page, t)) {
		if (!task->sigkill)
			return sleep_on(t, &page->waiters, W_PAGE_LOCK, task->page, 1);
		task->unwinding = 2;
		task->step = LEAVE_PATH;
		return NEXT;
	}
	mark_page_accessed(task->page);
	task->step = PREPARE_ANON_VMA;
	return NEXT;
}

static void map_page(struct task *task)
{
	int p = task->newpage, number = lookup_pte(task->mm, task->vpn);

	if (number != NONE && pte_of(number)->flags & PTE_PRESENT)
		abort();			/* pte_same: nobody else has this mm */
	pages[p].flags |= PG_ANON | PG_ACTIVE;
	set_pte(task->mm, task->vpn, p, PTE_WRITE | PTE_DIRTY | PTE_ACCESSED);
	lru_add(p);
	note_recent(p);
}

static enum answer fault(int t)
{
	struct task *task = &tasks[t];

	switch (task->step) {
	case DOWN_READ:
		spent += cost[MMAP_READ_LOCK];
		mms[task->mm].readers++;
		task->has_mmap_sem = 1;
		break;
	case LOOKUP_VMA:
		spent += cost[FIND_VMA];
		task->vma = find_vma(task->mm, task->vpn);
		break;
	case HANDLE_FAULT:
		spent += cost[HANDLE_PTE_FAULT];
		memcgs[task->group].pgfault++;
		lookup_pte(task->mm, task->vpn);
		break;
	case FIND_FILE_PAGE: {
		spent += cost[FIND_PAGE];
		struct vma *vma = &vmas[task->vma];
		task->page = slots[vma->pgoff + task->vpn - vma->start];
		pages[task->page].refs++;
		task->phase = 0;
		break;
	}
	case LOCK_FILE_PAGE:
		spent += cost[LOCK_PAGE];
		return lock_file_page(t);
	case PREPARE_ANON_VMA:
		spent += cost[ANON_VMA_PREPARE];
		vmas[task->vma].anon_vma = 1;
		break;
	case ALLOC_NEW:
		spent += cost[ALLOC_PAGE];
		task->newpage = alloc_page();
		task->batch = task->phase = 0;
		allocs++;
		break;
	case CHARGE_NEW: {
		enum answer answer = charge(t);
		if (task->charged)
			task->step = COPY;
		return answer;
	}
	case COPY:
		spent += cost[COPY_PAGE];
		pages[task->newpage].flags |= PG_UPTODATE;
		cows++;
		break;
	case MAP:
		spent += cost[MAP_PAGE];
		map_page(task);
		break;
	case UNLOCK:
		spent += cost[UNLOCK_PAGE];
		unlock_page(task->page);
		break;
	case PUT:
		spent += cost[PUT_PAGE];
		pages[task->page].refs--;
		break;
	case FAULT_DONE:
		spent += cost[HANDLE_PTE_FAULT];
		break;
	case UP_READ:
		spent += cost[MMAP_READ_UNLOCK];
		mms[task->mm].readers--;
		note_fault(task);
		task->step = USER;
		return NEXT;
	}
	task->step++;
	return NEXT;
}

/* The way out after a retry (1) or a fatal signal (2): one thing a move. */
static enum answer unwind(struct task *task)
{
	switch (task->step) {
	case LEAVE_PATH:
		if (task->page != NONE) {
			spent += cost[PUT_PAGE];
			pages[task->page].refs--;
			task->page = NONE;
		} else {
			task->step = FAULT_FAILED;
		}
		return NEXT;
	case FAULT_FAILED:
		spent += cost[HANDLE_PTE_FAULT];
		if (task->unwinding == 1) {
			retries++;
			task->allow_retry = 0;
		}
		task->step = task->unwinding == 2 || task->sigkill ? LEAVE_FAULT : DOWN_READ;
		return NEXT;
	default:
		if (task->has_mmap_sem) {
			spent += cost[MMAP_READ_UNLOCK];
			mms[task->mm].readers--;
			task->has_mmap_sem = 0;
			return NEXT;
		}
		note_fault(task);
		task->step = USER;
		return NEXT;
	}
}

/* --- address spaces and tasks --- */
static int new_mm(void)
{
	int m = free_mm;

	if (m != NONE)
		free_mm = mms[m].root;
	else
		m = nmms++;
	mms[m] = (struct mm){ .users = 1, .writer = NONE, .root = NONE, .vmas = NONE, .last_vma = NONE, .last_table = NONE };
	return m;
}

static void map_region(struct task *task)
{
	int v = free_vma;

	if (v != NONE)
		free_vma = vmas[v].next;
	else
		v = nvmas++;
	vmas[v] = (struct vma){ .next = NONE, .file = 0, .writable = 1, .start = BASE, .end = BASE + file_pages };
	mms[task->mm].vmas = v;
}

static void drop_vma(int m)
{
	int v = mms[m].vmas;

	mms[m].vmas = vmas[v].next;
	mms[m].last_vma = NONE;
	vmas[v].next = free_vma;
	free_vma = v;
}

/* Up to ZAP_CHUNK pages of from..end; where to go on. */
static i64 zap_chunk(int m, i64 from, i64 end)
{
	int cleared = 0, last = NONE;

	while (from < end && cleared < ZAP_CHUNK) {
		int number = lookup_pte(m, from);
		i64 stop = min(end, (from | (ENTRIES - 1)) + 1);
		if (number == NONE) {
			from = stop;
			continue;
		}
		for (; from < stop && cleared < ZAP_CHUNK; from++, number++) {
			if (!(pte_of(number)->flags & PTE_PRESENT))
				continue;
			int p = clear_pte(number);
			if (!--pages[p].refs) {
				lru_del(p);
				int g = uncharge_page(p);
				free_page(p);
				if (g != NONE)
					last = g;
			}
			cleared++;
		}
	}
	uncharge_end(last);
	return from;
}

static int exit_mmap_chunk(int m)
{
	struct mm *mm = &mms[m];

	if (mm->vmas == NONE)
		return 1;
	struct vma *vma = &vmas[mm->vmas];
	vma->start = mm->ntables ? zap_chunk(m, vma->start, vma->end) : vma->end;
	if (vma->start >= vma->end)
		drop_vma(m);
	return mm->vmas == NONE;
}

static int new_task(int parent)
{
	int t = free_task;

	if (t != NONE)
		free_task = tasks[t].sibling;
	else
		t = ntasks++;
	tasks[t] = (struct task){ .state = RUNNABLE, .mm = NONE, .parent = parent, .first_child = NONE, .last_child = NONE,
				  .sibling = NONE, .born = ++births };
	return t;
}

static enum answer fork_task(int t)
{
	struct task *task = &tasks[t];
	int child = new_task(t), m = task->other_mm;

	tasks[child].mm = m;
	tasks[child].cpu = task->cpu;
	tasks[child].vruntime = task->vruntime;
	tasks[child].pc = ATTACH;
	tasks[child].job = task->job;
	if (task->last_child == NONE)
		task->first_child = child;
	else
		tasks[task->last_child].sibling = child;
	task->last_child = child;
	memcgs[0].tasks++;
	make_runnable(child);
	task->pc++;
	task->step = USER;
	return NEXT;
}

static enum answer wait_child(int t)
{
	struct task *task = &tasks[t];
	int before = NONE, living = 0, after;

	for (int child = task->first_child; child != NONE; child = after) {
		after = tasks[child].sibling;
		if (tasks[child].state != ZOMBIE) {
			living = 1;
			before = child;
			continue;
		}
		if (before == NONE)
			task->first_child = after;
		else
			tasks[before].sibling = after;
		if (after == NONE)
			task->last_child = before;
		tasks[child].state = FREE;
		tasks[child].sibling = free_task;
		free_task = child;
		if (task->pc == WAIT_ONE) {
			living = 0;
			break;
		}
	}
	if (living)
		return sleep_on(t, NULL, W_CHILD, 0, 0);
	task->pc++;
	task->step = USER;
	return NEXT;
}

static enum answer leave_mm(struct task *task)
{
	spent += cost[EXIT_MM];
	resched_ok = 1;
	if (task->phase == 0) {
		task->phase = 1;
		task->other_mm = task->mm;	/* now only this task's own affair */
		task->mm = NONE;
		mms[task->other_mm].users--;
	}
	if (exit_mmap_chunk(task->other_mm)) {
		mms[task->other_mm].root = free_mm;
		free_mm = task->other_mm;
		task->step = NOTIFY;
	}
	return NEXT;
}

static enum answer exit_notify(int t)
{
	struct task *task = &tasks[t];

	spent += cost[EXIT_NOTIFY];
	memcgs[task->group].tasks--;
	task->state = ZOMBIE;
	if (task->parent != NONE && tasks[task->parent].state == SLEEPING && tasks[task->parent].wait_kind == W_CHILD)
		wake(task->parent);
	return EXITED;
}

/* mmap, munmap and fork, under mmap_sem. */
static enum answer in_mmap(struct task *task)
{
	switch (task->pc) {
	case MMAP:
		spent += cost[MAP_REGION];
		map_region(task);
		break;
	case MUNMAP:
		spent += cost[UNMAP_REGION];
		resched_ok = 1;
		task->range = zap_chunk(task->mm, task->range, BASE + file_pages);
		if (task->range < BASE + file_pages)
			return NEXT;
		drop_vma(task->mm);
		break;
	default:			/* fork: the parent has no mapping to copy */
		spent += cost[DUP_MM];
		resched_ok = 1;
		if (task->phase++ == 0) {
			task->other_mm = new_mm();
			return NEXT;
		}
	}
	task->step = UP_WRITE;
	return NEXT;
}

static enum answer system_call(int t)
{
	struct task *task = &tasks[t];

	switch (task->step) {
	case DOWN_WRITE:
		spent += cost[MMAP_WRITE_LOCK];
		mms[task->mm].writer = t;
		task->step = IN_MMAP;
		return NEXT;
	case IN_MMAP:
		return in_mmap(task);
	case UP_WRITE:
		spent += cost[MMAP_WRITE_UNLOCK];
		mms[task->mm].writer = NONE;
		task->step = task->pc == FORK || task->pc == FORK_NEXT ? NEW_TASK : USER;
		if (task->step == USER)
			task->pc++;
		return NEXT;
	case NEW_TASK:
		spent += cost[WAKE_UP_NEW_TASK];
		return fork_task(t);
	case WAIT_CHILD:
		spent += cost[DO_WAIT];
		return wait_child(t);
	case LEAVE_MM:
		return leave_mm(task);
	case NOTIFY:
		return exit_notify(t);
	default:
		spent += cost[RESIZE_LIMIT];
		memcgs[1].limit = size.limit;
		task->pc++;
		task->step = USER;
		return NEXT;
	}
}

/* --- user mode --- */
static enum answer touch(struct task *task)
{
	for (int i = 0; i < ACCESSES && task->progress < size.pages; i++) {
		i64 vpn = BASE + task->job + task->progress * size.stride;
		int number = lookup_pte(task->mm, vpn);
		spent += cost[USER_ACCESS];
		if (number == NONE || !(pte_of(number)->flags & PTE_WRITE)) {
			task->vpn = vpn;
			task->fault_at = now + spent;
			task->allow_retry = 1;
			task->unwinding = 0;
			task->step = DOWN_READ;
			spent += cost[EXCEPTION];
			return NEXT;
		}
		pte_of(number)->flags |= PTE_ACCESSED | PTE_DIRTY;
		task->progress++;
	}
	if (task->progress == size.pages) {
		task->pc++;
		task->progress = 0;
	}
	return NEXT;
}

static enum answer user(struct task *task)
{
	resched_ok = 1;
	if (task->sigkill || task->pc == EXIT || task->pc == END) {
		task->step = LEAVE_MM;
		task->phase = 0;
		return NEXT;
	}
	switch (task->pc) {
	case TOUCH:
		return touch(task);
	case FIRST:
		task->job = 0;
		task->pc++;
		return NEXT;
	case START:
		task->round = 0;
		task->pc++;
		return NEXT;
	case MORE:
		task->pc = ++task->job < size.tasks ? FORK : WAIT_ONE;
		return NEXT;
	case MORE_NEXT:
		task->pc = ++task->job < size.jobs ? WAIT_ONE : WAIT_ALL;
		return NEXT;
	case AGAIN:
		task->pc = ++task->round < size.rounds ? MMAP : EXIT;
		return NEXT;
	}
	spent += cost[SYSCALL];
	switch (task->pc) {
	case CREATE:
		task->pc++;
		return NEXT;
	case LIMIT:
		task->step = SET_LIMIT;
		return NEXT;
	case ATTACH:
		memcgs[0].tasks--;
		memcgs[1].tasks++;
		task->group = 1;
		task->pc++;
		return NEXT;
	case WAIT_ONE:
	case WAIT_ALL:
		task->step = WAIT_CHILD;
		return NEXT;
	}
	task->step = DOWN_WRITE;
	task->range = BASE;
	task->phase = 0;
	return NEXT;
}

static enum answer move(int t)
{
	struct task *task = &tasks[t];

	spent = 0;
	resched_ok = 0;
	moves++;
	if (task->step == USER)
		return user(task);
	if (task->step <= UP_READ)
		return fault(t);
	if (task->step <= LEAVE_FAULT)
		return unwind(task);
	return system_call(t);
}

/* --- the machine --- */
static void *room(size_t count, size_t bytes)
{
	void *new = calloc(count, bytes);

	if (!new)
		exit(1);
	return new;
}

static void init_memcg(struct memcg *memcg)
{
	memcg->parent = NONE;
	memcg->limit = FOREVER;
	memcg->oom_waiters = (struct waitq){ NONE, NONE };
	for (int i = 0; i < NLISTS; i++)
		memcg->lists[i] = (struct lru){ NONE, NONE, 0 };
}

static void build(void)
{
	int most = size.tasks + 2;

	memory = size.memory;
	low_pages = memory / 64;
	file_pages = size.jobs + size.pages * size.stride;
	pages = room(memory, sizeof(*pages));
	tables = room((most + 1) * (file_pages / ENTRIES + 3), sizeof(*tables));
	directories = room(most * 8, sizeof(*directories));
	vmas = room(most, sizeof(*vmas));
	mms = room(most, sizeof(*mms));
	tasks = room(most, sizeof(*tasks));
	woken = room(most, sizeof(*woken));
	slots = room(file_pages, sizeof(*slots));
	for (int i = 0; i < NLISTS; i++)
		zone.lists[i] = (struct lru){ NONE, NONE, 0 };
	init_memcg(&memcgs[0]);
	init_memcg(&memcgs[1]);
	for (int i = 0; i < file_pages; i++) {
		slots[i] = alloc_page();
		pages[i].group = 0;
		pages[i].file = 0;
		pages[i].index = i;
		pages[i].flags = PG_UPTODATE;
		lru_add(i);
	}
	memcgs[0].cache = file_pages;
	rng = size.seed * 7919 % 2147483646 + 1;
	for (int i = 0; i < 8; i++)
		rng = rng * 48271 % 2147483647;
	for (struct cpu *cpu = cpus; cpu < cpus + NCPUS; cpu++) {
		cpu->curr = NONE;
		cpu->heap = room(most, sizeof(int));
	}
	new_task(NONE);
	tasks[0].mm = new_mm();
	memcgs[0].tasks = 1;
	make_runnable(0);
}

static void run(void)
{
	struct cpu *cpu;

	activate_woken(0);
	while ((cpu = next_cpu())) {
		int t = cpu->curr;
		now = cpu->now;
		enum answer answer = move(t);
		account(cpu, t, answer);
		if (answer == EXITED && t == 0)
			return;
	}
}

static i64 quantile(i64 permille)
{
	i64 rank = max(1, (faults * permille + 999) / 1000), bucket = 0;

	for (i64 sum = histogram[0]; sum < rank; sum += histogram[bucket])
		bucket++;
	return bucket;
}

int main(int argc, char **argv)
{
	i64 *numbers[] = { &size.tasks, &size.jobs, &size.rounds, &size.pages, &size.stride, &size.limit, &size.memory, &size.seed,
			   &latency, &min_granularity, &wakeup_granularity };
	int named = sizeof(numbers) / sizeof(*numbers);
	struct timespec began, ended;

	if (argc != 1 + named + NCOSTS)
		return 2;
	for (int i = 0; i < named + NCOSTS; i++)
		*(i < named ? numbers[i] : &cost[i - named]) = atoll(argv[i + 1]);
	build();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
	run();
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	printf("faults %ld\ncows %ld\ncharges %ld\nbypassed %ld\nfailcnt %ld\nmax_usage %ld\nkills %ld\noom_rounds %ld\n"
	       "retries %ld\nlock_waits %ld\nlock_wait_ns %ld\noom_wait_ns %ld\np99_bucket %ld\nmax_fault_ns %ld\n"
	       "max_hold_ns %ld\nmoves %ld\nend_ns %ld\nseconds %.9f\n",
	       faults, cows, charges, bypassed, memcgs[1].failcnt, memcgs[1].max_usage, kills, oom_rounds, retries,
	       lock_waits, lock_wait_ns, oom_wait_ns, quantile(990), max_fault, max_hold, moves, now,
	       (ended.tv_sec - began.tv_sec) + (ended.tv_nsec - began.tv_nsec) * 1e-9);
	return 0;
}
