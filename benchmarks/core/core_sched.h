/*
 * Tasks, CPUs, run queues and wait queues, after CFS of Linux 3.0 (see README.md, "The scheduler").
 * Links between records are 32-bit numbers, -1 is NULL: half the size of pointers, and the records are many.
 */
#include <stdint.h>
#include <stdlib.h>

#define NONE (-1)
#define NCPUS 2
#define FOREVER (1LL << 62)

typedef int64_t i64;

enum cost {
	USER_ACCESS, EXCEPTION, SYSCALL, MMAP_READ_LOCK, FIND_VMA, HANDLE_PTE_FAULT, MMAP_READ_UNLOCK, FIND_PAGE, LOCK_PAGE,
	ANON_VMA_PREPARE, ALLOC_PAGE, CHARGE, COPY_PAGE, MAP_PAGE, UNLOCK_PAGE, PUT_PAGE, RES_CHARGE, DRAIN_ALL_STOCK,
	OOM_SLEEP, OOM_SCAN_TASK, OOM_KILL, UNCHARGE, FREE_PAGE, ZAP_PTE, MMAP_WRITE_LOCK, MMAP_WRITE_UNLOCK, MAP_REGION,
	UNMAP_REGION, DUP_MM, WAKE_UP_NEW_TASK, EXIT_MM, EXIT_NOTIFY, DO_WAIT, RESIZE_LIMIT, CONTEXT_SWITCH, WAKE_UP,
	NCOSTS
};

enum answer { NEXT, SLEEP, YIELD, EXITED };
enum run_state { FREE, RUNNABLE, SLEEPING, ZOMBIE };
enum wait_kind { W_NONE, W_PAGE_LOCK, W_OOM, W_CHILD };

struct waitq { int head, tail; };

struct task {
	int state, wait_kind, wait_id, wait_next, exclusive;
	int sigkill, memdie, mm, group;
	int parent, first_child, last_child, sibling, born;
	int cpu, pc, job, round, progress;	/* of its program */
	int step, phase, other_mm;		/* in the kernel: a child's mm, or the one that is being left */
	int allow_retry, has_page, has_mmap_sem, unwinding;
	int page, newpage, vma, batch, retries, oom_locked, charged;
	i64 vpn, range, fault_at, since, vruntime, cpu_ns;
};

struct cpu {
	i64 now, min_vruntime, slice_at;
	int curr, queued, resched;
	int stock, stock_group, drain;
	int *heap;				/* of tasks, by vruntime and number */
};

static struct task *tasks;
static int ntasks, free_task = NONE, births;
static struct cpu cpus[NCPUS];
static i64 cost[NCOSTS], latency, min_granularity, wakeup_granularity;
static i64 now, spent, moves, rng;
static int resched_ok, drain_asked, *woken, nwoken;
static i64 lock_waits, lock_wait_ns, oom_wait_ns;

static void drain_stock(struct cpu *cpu);

static i64 max(i64 a, i64 b) { return a > b ? a : b; }
static i64 min(i64 a, i64 b) { return a < b ? a : b; }

static int random_below(int bound)
{
	rng = rng * 48271 % 2147483647;
	return rng % bound;
}

static void make_runnable(int t) { woken[nwoken++] = t; }

static void wake(int t)
{
	struct task *task = &tasks[t];

	if (task->wait_kind == W_PAGE_LOCK)
		lock_wait_ns += now - task->since;
	else if (task->wait_kind == W_OOM)
		oom_wait_ns += now - task->since;
	task->state = RUNNABLE;
	task->wait_kind = W_NONE;
	spent += cost[WAKE_UP];
	make_runnable(t);
}

static enum answer sleep_on(int t, struct waitq *queue, enum wait_kind kind, int id, int exclusive)
{
	struct task *task = &tasks[t];

	task->state = SLEEPING;
	task->wait_kind = kind;
	task->wait_id = id;
	task->exclusive = exclusive;
	task->wait_next = NONE;
	task->since = now;
	if (kind == W_PAGE_LOCK)
		lock_waits++;
	if (!queue)
		return SLEEP;
	if (queue->head == NONE) {
		queue->head = queue->tail = t;
	} else if (exclusive) {
		tasks[queue->tail].wait_next = t;
		queue->tail = t;
	} else {
		task->wait_next = queue->head;
		queue->head = t;
	}
	return SLEEP;
}

static void wake_first(struct waitq *queue)
{
	int t = queue->head;

	queue->head = tasks[t].wait_next;
	if (queue->head == NONE)
		queue->tail = NONE;
	wake(t);
}

static void unlink_waiter(struct waitq *queue, int t)
{
	int before = NONE, at = queue->head;

	for (; at != t; at = tasks[at].wait_next)
		before = at;
	if (before == NONE)
		queue->head = tasks[t].wait_next;
	else
		tasks[before].wait_next = tasks[t].wait_next;
	if (queue->tail == t)
		queue->tail = before;
}

static int before(int a, int b)
{
	i64 va = tasks[a].vruntime, vb = tasks[b].vruntime;

	return va < vb || (va == vb && a < b);
}

static void sift_up(struct cpu *cpu, int i)
{
	int t = cpu->heap[i];

	for (; i > 0 && before(t, cpu->heap[(i - 1) / 2]); i = (i - 1) / 2)
		cpu->heap[i] = cpu->heap[(i - 1) / 2];
	cpu->heap[i] = t;
}

static void sift_down(struct cpu *cpu, int i)
{
	int t = cpu->heap[i], child;

	while ((child = 2 * i + 1) < cpu->queued) {
		if (child + 1 < cpu->queued && before(cpu->heap[child + 1], cpu->heap[child]))
			child++;
		if (!before(cpu->heap[child], t))
			break;
		cpu->heap[i] = cpu->heap[child];
		i = child;
	}
	cpu->heap[i] = t;
}

static void enqueue(struct cpu *cpu, int t)
{
	cpu->heap[cpu->queued++] = t;
	sift_up(cpu, cpu->queued - 1);
	tasks[t].cpu = cpu - cpus;
}

static int take(struct cpu *cpu, int i)
{
	int t = cpu->heap[i];

	if (i < --cpu->queued) {
		cpu->heap[i] = cpu->heap[cpu->queued];
		sift_up(cpu, i);
		sift_down(cpu, i);
	}
	return t;
}

static void update_min_vruntime(struct cpu *cpu)
{
	i64 least = cpu->min_vruntime;

	if (cpu->curr != NONE)
		least = tasks[cpu->curr].vruntime;
	if (cpu->queued) {
		i64 first = tasks[cpu->heap[0]].vruntime;
		least = cpu->curr != NONE ? min(least, first) : first;
	}
	cpu->min_vruntime = max(cpu->min_vruntime, least);
}

static i64 slice_of(struct cpu *cpu) { return max(latency / (cpu->queued + 1), min_granularity); }

static struct cpu *choose_cpu(int t)
{
	struct cpu *own = &cpus[tasks[t].cpu], *best = own;
	int least = 1 << 30;

	if (own->curr == NONE && !own->queued)
		return own;
	for (struct cpu *cpu = cpus; cpu < cpus + NCPUS; cpu++) {
		int load = cpu->queued + (cpu->curr != NONE);
		if (load < least) {
			least = load;
			best = cpu;
		}
	}
	return least == 0 || tasks[t].cpu_ns == 0 ? best : own;
}

static void activate(int t, i64 at)
{
	struct task *task = &tasks[t];
	struct cpu *cpu = choose_cpu(t), *old = &cpus[task->cpu];

	if (old != cpu)
		task->vruntime += cpu->min_vruntime - old->min_vruntime;
	if (task->cpu_ns == 0)
		task->vruntime = max(task->vruntime, cpu->min_vruntime + slice_of(cpu));
	else
		task->vruntime = max(task->vruntime, cpu->min_vruntime - latency / 2);
	if (cpu->curr == NONE)
		cpu->now = max(cpu->now, at);
	else if (tasks[cpu->curr].vruntime - task->vruntime > wakeup_granularity)
		cpu->resched = 1;
	enqueue(cpu, t);
}

static void pull(struct cpu *cpu)
{
	struct cpu *other = &cpus[cpu == cpus];

	if (!other->queued || (other->queued < cpu->queued + 2 && cpu->queued))
		return;
	int t = take(other, other->queued - 1);
	tasks[t].vruntime += cpu->min_vruntime - other->min_vruntime;
	enqueue(cpu, t);
}

static void run_drain_worker(struct cpu *cpu)
{
	if (cpu->drain) {
		drain_stock(cpu);
		cpu->now += cost[UNCHARGE];
	}
}

static void switch_to(struct cpu *cpu)
{
	run_drain_worker(cpu);
	update_min_vruntime(cpu);
	pull(cpu);
	cpu->resched = 0;
	if (!cpu->queued) {
		cpu->curr = NONE;
		return;
	}
	cpu->curr = take(cpu, 0);
	cpu->now += cost[CONTEXT_SWITCH];
	cpu->slice_at = cpu->now;
}

static void activate_woken(i64 at)
{
	for (int i = 0; i < nwoken; i++)
		activate(woken[i], at);
	nwoken = 0;
	for (struct cpu *cpu = cpus; cpu < cpus + NCPUS; cpu++)
		if (cpu->curr == NONE && cpu->queued)
			switch_to(cpu);
}

static void ask_workers(i64 at)
{
	for (int c = 0; c < NCPUS; c++) {
		if (!(drain_asked >> c & 1))
			continue;
		if (cpus[c].curr != NONE) {
			cpus[c].resched = 1;
			continue;
		}
		cpus[c].now = max(cpus[c].now, at);
		run_drain_worker(&cpus[c]);
	}
	drain_asked = 0;
}

/* What a move has cost, and what its answer means for the CPU. */
static void account(struct cpu *cpu, int t, enum answer answer)
{
	cpu->now += spent;
	tasks[t].vruntime += spent;
	tasks[t].cpu_ns += spent + 1;
	if (drain_asked)
		ask_workers(cpu->now);
	if (answer == SLEEP || answer == EXITED)
		cpu->curr = NONE;
	if (nwoken) {
		update_min_vruntime(cpu);
		activate_woken(cpu->now);
	}
	if (answer == SLEEP || answer == EXITED) {
		if (cpu->curr == NONE)
			switch_to(cpu);
	} else if (answer == YIELD || (resched_ok && (cpu->resched
			|| (cpu->queued && cpu->now - cpu->slice_at >= slice_of(cpu))))) {
		cpu->curr = NONE;
		enqueue(cpu, t);
		switch_to(cpu);
	}
}

static struct cpu *next_cpu(void)
{
	if (cpus[0].curr == NONE || cpus[1].curr == NONE)
		return cpus[0].curr != NONE ? &cpus[0] : cpus[1].curr != NONE ? &cpus[1] : NULL;
	if (cpus[0].now == cpus[1].now)
		return &cpus[random_below(2)];
	return &cpus[cpus[1].now < cpus[0].now];
}
