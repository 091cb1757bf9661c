/* The memory controller: counters, stocks, charge and uncharge, the OOM section and its killer (README.md, "The group"). */

static i64 charges, bypassed, kills, oom_rounds, allocs;

static int res_charge(int g, int count)
{
	int up;

	spent += cost[RES_CHARGE];
	for (up = g; up != NONE; up = memcgs[up].parent) {
		if (memcgs[up].usage + count > memcgs[up].limit) {
			memcgs[up].failcnt++;
			return up;
		}
	}
	for (up = g; up != NONE; up = memcgs[up].parent) {
		memcgs[up].usage += count;
		memcgs[up].max_usage = max(memcgs[up].max_usage, memcgs[up].usage);
	}
	return NONE;
}

static void res_uncharge(int g, int count)
{
	for (; g != NONE; g = memcgs[g].parent)
		memcgs[g].usage -= count;
}

static void drain_stock(struct cpu *cpu)
{
	if (cpu->stock)
		res_uncharge(cpu->stock_group, cpu->stock);
	cpu->stock = cpu->stock_group = cpu->drain = 0;
}

static void drain_all_stock(int own, int g)
{
	for (int c = 0; c < NCPUS; c++) {
		if (c != own && cpus[c].stock && !cpus[c].drain && cpus[c].stock_group == g) {
			cpus[c].drain = 1;
			drain_asked |= 1 << c;
		}
	}
}

static void commit_charge(int p, int g)
{
	memcgs[g].pgpgin++;
	memcgs[g].rss++;
	pages[p].group = g;
	pages[p].flags |= PG_ANON;
	charges++;
}

static int uncharge_page(int p)
{
	struct page *page = &pages[p];
	int g = page->group;

	if (g == NONE)
		return NONE;
	memcgs[g].pgpgout++;
	if (page->flags & PG_ANON)
		memcgs[g].rss--;
	else
		memcgs[g].cache--;
	page->group = NONE;
	res_uncharge(g, 1);
	spent += cost[UNCHARGE];
	return g;
}

static void wakeup_oom(int g)
{
	while (memcgs[g].oom_waiters.head != NONE)
		wake_first(&memcgs[g].oom_waiters);
}

static void uncharge_end(int g)
{
	for (; g != NONE; g = memcgs[g].parent)
		if (memcgs[g].under_oom)
			wakeup_oom(g);
}

/* --- the killer --- */
static int oom_badness(struct task *task, i64 limit)
{
	struct mm *mm = &mms[task->mm];
	i64 points = (i64)(mm->anon_rss + mm->file_rss + mm->ntables) * 1000 / limit - 30;	/* CAP_SYS_ADMIN */

	return min(1000, max(1, points));
}

static int select_bad_process(int g)
{
	int chosen = NONE, worst = 0;

	for (int t = 0; t < ntasks; t++) {
		struct task *task = &tasks[t];
		if ((task->state != RUNNABLE && task->state != SLEEPING) || task->group != g)
			continue;
		spent += cost[OOM_SCAN_TASK];
		if (task->mm == NONE)
			continue;
		if (task->memdie)
			return NONE;
		int points = oom_badness(task, memcgs[g].limit);
		if (points > worst || (points == worst && task->born < tasks[chosen].born)) {
			chosen = t;
			worst = points;
		}
	}
	return chosen;
}

static void out_of_memory(int t, int g)
{
	int victim;

	if (tasks[t].sigkill || (victim = select_bad_process(g)) == NONE)
		return;
	spent += cost[OOM_KILL];
	kills++;
	struct task *task = &tasks[victim];
	task->sigkill = task->memdie = 1;
	if (task->state == SLEEPING) {
		unlink_waiter(task->wait_kind == W_OOM ? &memcgs[g].oom_waiters : &pages[task->wait_id].waiters, victim);
		wake(victim);
	}
}

/* --- charge: __mem_cgroup_try_charge, a try or a part of the OOM section a move --- */
enum charge_phase { FROM_STOCK, TRY, RECLAIM, RECLAIMED, IN_OOM_KILL, OOM_SLEPT };

static int bypass(struct task *task)
{
	bypassed++;
	task->phase = FROM_STOCK;
	return 1;
}

static int try_charge(struct task *task)
{
	struct cpu *cpu = &cpus[task->cpu];
	int over = res_charge(task->group, task->batch);

	if (over == NONE) {
		if (task->batch > 1) {
			if (cpu->stock_group != task->group) {
				drain_stock(cpu);
				cpu->stock_group = task->group;
			}
			cpu->stock += task->batch - 1;
		}
		commit_charge(task->newpage, task->group);
		task->phase = FROM_STOCK;
		return 1;
	}
	task->phase = task->batch > 1 ? FROM_STOCK : RECLAIM;
	task->batch = 1;
	return 0;
}

static enum answer enter_oom(int t)
{
	struct task *task = &tasks[t];
	struct memcg *memcg = &memcgs[task->group];

	spent += cost[OOM_SLEEP];
	memcg->under_oom++;
	task->oom_locked = !memcg->oom_lock;
	memcg->oom_lock = 1;
	task->phase = task->oom_locked ? IN_OOM_KILL : OOM_SLEPT;
	if (task->oom_locked || task->sigkill)
		return NEXT;
	return sleep_on(t, &memcg->oom_waiters, W_OOM, task->group, 0);
}

static enum answer after_reclaim(int t)
{
	struct task *task = &tasks[t];
	int last = task->retries == 0;

	if (last)
		task->retries = RECLAIM_RETRIES;
	if (memcgs[task->group].limit - memcgs[task->group].usage >= 1) {
		task->phase = FROM_STOCK;
		return NEXT;
	}
	if (last)
		return enter_oom(t);
	task->retries--;
	task->phase = TRY;
	return NEXT;
}

/* One move; task->charged says when it is over. */
static enum answer charge(int t)
{
	struct task *task = &tasks[t];
	struct memcg *memcg = &memcgs[task->group];

	task->charged = 0;
	if (task->phase == RECLAIM) {	/* drain_all_stock, the whole of the reclaim path: no move costs more than one step */
		spent += cost[DRAIN_ALL_STOCK];
		drain_all_stock(task->cpu, task->group);
		task->phase = RECLAIMED;
		return NEXT;
	}
	spent += cost[CHARGE];
	switch (task->phase) {
	case RECLAIMED:
		return after_reclaim(t);
	case IN_OOM_KILL:
		out_of_memory(t, task->group);
		task->phase = OOM_SLEPT;
		return NEXT;
	case OOM_SLEPT:
		memcg->under_oom--;
		if (task->oom_locked)
			memcg->oom_lock = 0;
		wakeup_oom(task->group);
		if (task->sigkill) {
			task->charged = bypass(task);
			return NEXT;
		}
		oom_rounds++;
		task->phase = FROM_STOCK;
		return YIELD;
	}
	if (task->sigkill) {
		task->charged = bypass(task);
		return NEXT;
	}
	if (task->phase == FROM_STOCK) {
		struct cpu *cpu = &cpus[task->cpu];
		if (!task->batch) {
			task->batch = CHARGE_BATCH;
			task->retries = RECLAIM_RETRIES;
		}
		if (cpu->stock_group == task->group && cpu->stock) {
			cpu->stock--;
			commit_charge(task->newpage, task->group);
			task->charged = 1;
			return NEXT;
		}
	}
	task->charged = try_charge(task);
	return NEXT;
}
