/* Read-ahead of a cold file by a task whose group is over memory.high, as in Linux 6.18, written from the kernel's sources
 * and from what real kernels were seen to do, and not from cowpath's code. It has nothing of kernel.pml.
 *
 * What it models, and where it comes from (Linux 6.18):
 *   mm/filemap.c     filemap_read: a page that is missing is read ahead, one that is not up to date is waited for
 *   mm/readahead.c   page_cache_ra_unbounded: with the file's invalidate_lock (shared) it charges the pages of the window one
 *                    after the other and inserts each locked, where all can find it; the request is sent after the loop
 *   lib/xarray.c     xas_create: what the page's place in the file's tree needs is had between its charge and its insertion
 *   mm/memcontrol.c  try_charge_memcg: a charge over the mark is owed; mem_cgroup_handle_over_high: reclaim, again while that
 *                    frees something, then a sleep that only time ends
 *   mm/truncate.c    with the invalidate_lock for writing, the lock of each page
 * A case file defines PAGES (of the file; a window of read-ahead is as long), includes this file, and has the process of
 * ATTACKER, whose group is over the mark, and that of OTHER, outside of every group. The disk is here.
 *
 * Moves are counted as in kernel.pml: a statement is a move, and who was asleep tries again in a move of its own. A batch is
 * one page, any excess costs a sleep, and a pass of reclaim takes every page of the group that is up to date and that nobody
 * looks at. Marks for the next window are left out: the window ends with the file. The assertions stand in the moves that
 * can make a property false.
 *
 * From the command line: DESIGN, the order (1 to 3, below), and NO_REREAD to check that property in place of isolation.
 */
#define IN_CHARGE 1    /* 6.18: in the charge, once more than a batch is owed; the rest at the return */
#define AFTER_SUBMIT 2 /* once the request is sent, with the invalidate_lock; the rest at the return */
#define AT_RETURN 3    /* at the return to user mode, with nothing held: before 5.18 */

#define ATTACKER 0
#define OTHER 1
#define TASKS 2
#define FREE 255
#define HIGH 2 /* pages; as much is there at the start, and stays: one is mlocked, one a page table */
#define BATCH 1

#define AWAKE 0
#define ON_PAGE 1   /* until the page is unlocked: it is up to date then */
#define ON_LOCK 2   /* for the invalidate_lock */
#define THROTTLED 3 /* by memory.high */

#define ABSENT 0
#define READING 1 /* in the page cache, locked, not up to date */
#define UPTODATE 2

#define STEP(name) skip /* a step that touches only what is the task's own */
#define MOVE(what) if :: d_step { true -> what } fi /* one that does not */
#define SENT(me) (TASKS + me)

byte asleep[TASKS];
byte awaited[TASKS];     /* the page that who is asleep for one waits for */
byte page[PAGES];
byte reader[PAGES];      /* of a page that is being read: who inserted it, SENT once the disk has the request */
byte users[PAGES];       /* who looks at the page: it stays meanwhile */
bit in_group[PAGES];     /* it is charged to the attacker's group */
byte file_pages = PAGES;
byte usage = HIGH;
byte owed;               /* by the attacker, for memory.high */
bit shared[TASKS];       /* who has the invalidate_lock for reading */
byte writer = FREE;
bit granted[TASKS];
chan lock_queue = [TASKS] of { byte };
chan disk_queue = [TASKS] of { byte }; /* whose request; nobody has two under way */
byte i;                  /* scratch: 0 between two moves */

/* --- the properties ------------------------------------------------------------------------------------------------ */
#define waits_for_attacker \
	((asleep[OTHER] == ON_PAGE && reader[awaited[OTHER]] == ATTACKER) || (asleep[OTHER] == ON_LOCK && shared[ATTACKER]))

/* Nobody outside waits for one who is throttled. */
inline assert_isolation() {
#ifndef NO_REREAD
	assert(!(asleep[ATTACKER] == THROTTLED && waits_for_attacker));
#endif
	skip
}

/* Who pays for memory.high within a read takes no page that this read is still to get: from the next one to the last. */
inline assert_no_reread(which, next, end) {
#ifdef NO_REREAD
	assert(!(which >= next && which < end));
#endif
	skip
}

/* --- the invalidate_lock: of two tasks, so that at most one waits --------------------------------------------------- */
#define LOCK_SHARED(me) \
	if \
	:: d_step { writer == FREE -> shared[me] = 1 } \
	:: d_step { writer != FREE -> lock_queue!me; asleep[me] = ON_LOCK; assert_isolation() }; \
		d_step { granted[me] -> granted[me] = 0 } \
	fi

#define LOCK(me) \
	if \
	:: d_step { writer == FREE && !shared[ATTACKER] && !shared[OTHER] -> writer = me } \
	:: d_step { \
			writer != FREE || shared[ATTACKER] || shared[OTHER] -> \
			lock_queue!me; \
			asleep[me] = ON_LOCK; \
			assert_isolation() \
		}; \
		d_step { granted[me] -> granted[me] = 0 } \
	fi

/* Who waits for a reader wants to write, and the other way round. Whoever is woken has been given the lock. */
inline unlock_shared(me) {
	shared[me] = 0;
	if
	:: nempty(lock_queue) -> lock_queue?i; writer = i; granted[i] = 1; asleep[i] = AWAKE
	:: empty(lock_queue)
	fi;
	i = 0
}

inline unlock() {
	writer = FREE;
	if
	:: nempty(lock_queue) -> lock_queue?i; shared[i] = 1; granted[i] = 1; asleep[i] = AWAKE
	:: empty(lock_queue)
	fi;
	i = 0
}

/* --- pages and the disk --------------------------------------------------------------------------------------------- */
inline drop(which) {
	page[which] = ABSENT;
	usage = usage - in_group[which];
	in_group[which] = 0
}

inline submit_io(me) {
	for (i : 0 .. PAGES - 1) {
		if
		:: page[i] == READING && reader[i] == me ->
			reader[i] = SENT(me);
			if
			:: !disk_queue??[eval(me)] -> disk_queue!me
			:: else
			fi
		:: else
		fi
	}
	i = 0
}

/* The pages of a request are up to date and unlocked, and whoever slept for one looks again. */
inline end_io(whose) {
	for (i : 0 .. PAGES - 1) {
		if
		:: page[i] == READING && reader[i] == SENT(whose) -> page[i] = UPTODATE; reader[i] = 0
		:: else
		fi
	}
	for (i : 0 .. TASKS - 1) {
		if
		:: asleep[i] == ON_PAGE && page[awaited[i]] != READING -> asleep[i] = AWAKE; awaited[i] = 0
		:: else
		fi
	}
	i = 0
}

active proctype disk() {
	byte whose;
	do
	:: disk_queue?whose; /* it begins */
		MOVE(end_io(whose); whose = 0)
	od
}

#define WAIT_ON_PAGE(me, which) \
		d_step { page[which] == READING -> asleep[me] = ON_PAGE; awaited[me] = which; assert_isolation() }

/* --- memory.high ---------------------------------------------------------------------------------------------------- */
inline shrink(next, end) {
	for (i : 0 .. PAGES - 1) {
		if
		:: page[i] == UPTODATE && in_group[i] && users[i] == 0 -> drop(i); freed = 1; assert_no_reread(i, next, end)
		:: else
		fi
	}
	i = 0
}

/* mem_cgroup_handle_over_high, for the attacker if he owes more than so much: reclaim_high, then the delay. */
#define pays(me, most) (me == ATTACKER && owed > most && usage > HIGH)
#define PAY(me, most, next, end) \
	do \
	:: d_step { pays(me, most) -> shrink(next, end) }; \
		STEP(no_group_above); \
		if \
		:: d_step { usage > HIGH && freed -> freed = 0 } /* once more */ \
		:: d_step { usage > HIGH && !freed -> owed = 0; asleep[me] = THROTTLED; assert_isolation() }; \
			asleep[me] = AWAKE; /* in its time */ \
			STEP(awake); \
			break \
		:: d_step { usage <= HIGH -> owed = 0; freed = 0 }; \
			break \
		fi \
	:: !pays(me, most); \
		if \
		:: d_step { me == ATTACKER && owed > most -> owed = 0 } /* nothing is over the mark any more */ \
		:: me != ATTACKER || owed <= most \
		fi; \
		break \
	od

/* The places where the three orders pay. */
#if DESIGN == IN_CHARGE
#define PAY_IN_CHARGE(me, next, end) PAY(me, BATCH, next, end)
#else
#define PAY_IN_CHARGE(me, next, end)
#endif
#if DESIGN == AFTER_SUBMIT
#define PAY_AFTER_SUBMIT(me, next, end) PAY(me, BATCH, next, end)
#else
#define PAY_AFTER_SUBMIT(me, next, end)
#endif

/* --- read(2) of the pages before the end ------------------------------------------------------------------------------ */
#define is_here(which) (which >= file_pages || page[which] != ABSENT)
#define all_here (is_here(ahead) && is_here(ahead + 1) && is_here(ahead + 2)) /* PAGES is 3 at most */

#define READER(me, end) \
	byte at = 0; \
	byte ahead = 0; \
	bit freed = 0; \
	STEP(read); \
each_page: \
	if \
	:: at < end && at < file_pages \
	:: at >= end || at >= file_pages -> goto exit_to_user \
	fi; \
find_page: \
	if \
	:: d_step { page[at] != ABSENT -> users[at]++ } \
	:: page[at] == ABSENT && at >= file_pages -> goto exit_to_user \
	:: page[at] == ABSENT && at < file_pages -> goto read_ahead \
	fi; \
wait_uptodate: \
	if \
	:: asleep[me] == AWAKE && page[at] != READING \
	:: WAIT_ON_PAGE(me, at); \
		asleep[me] == AWAKE -> goto copy_to_user \
	fi; \
copy_to_user: \
	STEP(copy_to_user); \
	MOVE(users[at]--); /* put_page */ \
	at++; /* next_page */ \
	goto each_page; \
read_ahead: \
	ahead = at; /* ra_window */ \
	LOCK_SHARED(me); \
next_in_window: \
	if \
	:: all_here -> goto submit \
	:: d_step { \
			!all_here -> \
			do \
			:: page[ahead] != ABSENT -> ahead++ \
			:: else -> break \
			od \
		} \
	fi; \
	STEP(alloc_page); \
	MOVE(usage = usage + (me == ATTACKER); owed = owed + (me == ATTACKER && usage > HIGH)); /* charge */ \
	STEP(xas_create); /* the nodes of the file's tree: kernel memory, which is left out */ \
	PAY_IN_CHARGE(me, at, end); \
	if /* add_to_page_cache */ \
	:: d_step { \
			!is_here(ahead) -> \
			page[ahead] = READING; \
			reader[ahead] = me; \
			in_group[ahead] = (me == ATTACKER) \
		} \
	:: d_step { is_here(ahead) -> usage = usage - (me == ATTACKER) } \
	fi; \
	ahead++; /* next_page */ \
	goto next_in_window; \
submit: \
	MOVE(submit_io(me)); \
	PAY_AFTER_SUBMIT(me, at, end); \
	MOVE(ahead = 0; unlock_shared(me)); \
	goto find_page; \
exit_to_user: \
	PAY(me, 0, 0, 0); /* the read is over: there is nothing that it is still to get */ \
	false
