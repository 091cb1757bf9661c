/* The page-fault path of Linux 3.0 on one page of a file, written from the kernel's sources and not from cowpath's.
 *
 * What it models, and where it comes from (Linux 3.0):
 *   mm/memory.c      __do_fault (the copy-on-write branch), do_anonymous_page's charge, handle_pte_fault, pte_same
 *   mm/filemap.c     filemap_fault, __lock_page_or_retry, unlock_page and its wait queue
 *   mm/memcontrol.c  __mem_cgroup_try_charge, mem_cgroup_handle_oom (oom_lock is a counter), memcg_oom_recover
 *   kernel/signal.c  SIGKILL ends a killable sleep
 * A case file defines the macros named below, includes this file, and has one process per task and per thing that
 * happens from outside.
 *
 * Moves: one statement of a process (a d_step, an expression, an assignment) is one move: what a step of the fault does
 * without anybody seeing it half done. A lock that is taken costs a move for the try that falls asleep, and another one
 * when the task has been woken and tries again. So the depth of a state in SPIN's breadth-first search, with statements
 * unmerged (spin -o3), is the number of moves that lead there. Private things are local variables, so that SPIN's
 * reduction can see that they are; mmap_sem is modelled only in mmap-sem-reader.pml, elsewhere nobody writes to it.
 * The assertions stand in the moves that can make a property false: falling asleep for a lock, a try to charge that
 * fails (isolation); mapping a page, the end of truncate (no-stale-page). A process that is at its end stays there (so no state
 * is one of a process about to vanish), and to sleep for ever is no error: pan -E.
 *
 * Defined by the case, or left out:
 *   TASKS, GROUP_OF(t)           tasks that sleep, numbered from 0 as their processes are; the group each is charged to
 *   PARENT(g), LIMIT(g)          of a group (ROOT: none); limit in pages
 *   USAGE                        pages charged at the start, to ROOT (none), A and P: { 0, 1, 0 }
 *   KILLS                        somebody may be killed; KILLER_ON: the OOM killer is on, RSS(t): a task's pages
 *   TRUNCATE                     the file may be truncated; SHARED_PTE: the entry is seen by more than one process
 *   WRITES                       the file's i_mutex is used
 *   MMAP_SEM                     mmap_sem is used; READER: who holds it for reading while another one waits for it
 * From the command line: DESIGN (1 to 4, below), and NO_STALE_PAGE to check that property in place of isolation.
 */
#define LINUX_3_0 1            /* charges under the page lock */
#define PREALLOCATE 2          /* the commit: allocates and charges before it looks the page up */
#define CHARGE_AFTER_UNLOCK 3  /* unlocks before it charges, and maps without a look back */
#define UNLOCK_CHARGE_RELOCK 4 /* unlocks, charges, locks again and checks the mapping */

#define ROOT 0
#define A 1
#define P 2
#define FREE 255

#define AWAKE 0
#define ON_UNLOCK 1   /* until the page is unlocked: killable; all are woken */
#define FOR_LOCK 2    /* for the page's lock: killable; the first is woken */
#define FOR_LOCK_D 3  /* the same, uninterruptible */
#define ON_OOM 4      /* in the group's OOM section: killable */
#define ON_MUTEX 5
#define ON_SEM 6

#define RETRY 1          /* why a fault unwinds: VM_FAULT_RETRY */
#define KILLED 2
#define KILLED_NO_SEM 3  /* ... after mmap_sem was dropped */
#define SIGBUS 4

#define STEP(name) skip /* a step that touches only what is the task's own */
#define MOVE(what) if :: d_step { true -> what } fi /* one that does not */

byte asleep[TASKS];
byte short_of[TASKS]; /* the group whose memory a task waits for: its charge has failed and goes on */
byte page_lock = FREE;
chan page_queue = [TASKS] of { byte }; /* who wants the page's lock, in order */
byte usage[3] = USAGE;
byte oom_lock;
byte i, j, over; /* scratch: 0 between two moves */

#ifdef KILLS
bit sigkill[TASKS];
bit gone[TASKS];
#define dying(t) sigkill[t]
#else
#define dying(t) false
#endif

#ifdef TRUNCATE
byte file_pages = 1;
bit cached = 1;
#endif

#if defined(TRUNCATE) || defined(WRITES)
byte i_mutex = FREE;
chan mutex_queue = [TASKS] of { byte };
#define HOLDER_OF_MUTEX i_mutex
#else
#define HOLDER_OF_MUTEX FREE
#endif

#ifdef MMAP_SEM
byte writer = FREE;
byte readers;
bit reads[TASKS];
bit granted[TASKS];
chan sem_queue = [TASKS] of { byte, bit }; /* who waits, and whether to write */
#define HOLDER_OF_SEM (writer != FREE -> writer : READER)
#else
#define HOLDER_OF_SEM FREE
#endif

/* The page table entry: 0 none, 1 mapped, 2 mapped and charged. */
#ifdef SHARED_PTE
byte mapped;
#define PRIVATE_PTE
#else
#define PRIVATE_PTE byte mapped = 0;
#endif

/* --- the properties ------------------------------------------------------------------------------------------------ */
#define below(g, top) (g == top || (g != ROOT && PARENT(g) == top))

/* Nobody waits, through any chain of locks, for the memory of a group that his own memory is not charged to. */
inline assert_isolation() {
#ifndef NO_STALE_PAGE
	for (i : 0 .. TASKS - 1) {
		j = i;
		do
		:: j == FREE -> break
		:: j != FREE && short_of[j] != ROOT -> assert(below(GROUP_OF(i), short_of[j])); break
		:: j != FREE && short_of[j] == ROOT ->
			if
			:: asleep[j] == ON_UNLOCK || asleep[j] == FOR_LOCK || asleep[j] == FOR_LOCK_D -> j = page_lock
			:: asleep[j] == ON_MUTEX -> j = HOLDER_OF_MUTEX
			:: asleep[j] == ON_SEM -> j = HOLDER_OF_SEM
			:: else -> j = FREE
			fi
		od
	}
	i = 0;
	j = 0;
#endif
	skip
}

/* Once truncate has returned nobody has the page, private copies included. */
inline assert_no_stale_page() {
#if defined(NO_STALE_PAGE) && defined(TRUNCATE)
	assert(!(file_pages == 0 && i_mutex == FREE && mapped != 0));
#endif
	skip
}

/* --- sleeping and waking: parts of moves ----------------------------------------------------------------------------*/
/* wake_up_page: all who only wait, and the first who wants the lock. */
inline unlock_page() {
	page_lock = FREE;
	for (i : 0 .. TASKS - 1) {
		if
		:: asleep[i] == ON_UNLOCK -> asleep[i] = AWAKE
		:: else
		fi
	}
	if
	:: nempty(page_queue) -> page_queue?i; asleep[i] = AWAKE
	:: empty(page_queue)
	fi;
	i = 0
}

inline wake_oom() {
	for (i : 0 .. TASKS - 1) {
		if
		:: asleep[i] == ON_OOM -> asleep[i] = AWAKE
		:: else
		fi
	}
	i = 0
}

/* memcg_oom_recover, at the end of a series of uncharges or with a higher limit. */
inline oom_recover() {
	if
	:: oom_lock > 0 -> wake_oom()
	:: else
	fi;
	skip
}

#ifdef KILLS
inline send_sigkill(t) {
	sigkill[t] = 1;
	if
	:: asleep[t] == FOR_LOCK -> page_queue??eval(t); asleep[t] = AWAKE
	:: asleep[t] == ON_UNLOCK || asleep[t] == ON_OOM -> asleep[t] = AWAKE
	:: else
	fi;
	skip
}
#endif

/* --- i_mutex and mmap_sem ------------------------------------------------------------------------------------------ */
#if defined(TRUNCATE) || defined(WRITES)
#define I_MUTEX_LOCK(me) \
take_mutex: \
	if \
	:: d_step { asleep[me] == AWAKE && i_mutex == FREE -> i_mutex = me } \
	:: d_step { \
			asleep[me] == AWAKE && i_mutex != FREE -> \
			asleep[me] = ON_MUTEX; \
			mutex_queue!me; \
			assert_isolation() \
		}; \
		goto take_mutex \
	fi

inline i_mutex_unlock() {
	if
	:: d_step { nempty(mutex_queue) -> i_mutex = FREE; mutex_queue?i; asleep[i] = AWAKE; i = 0; assert_no_stale_page() }
	:: d_step { empty(mutex_queue) -> i_mutex = FREE; assert_no_stale_page() }
	fi
}
#endif

#ifdef MMAP_SEM
#define READ 0
#define WRITE 1

inline down_read(me) {
	if
	:: d_step { writer == FREE && empty(sem_queue) -> reads[me] = 1; readers++ }
	:: d_step { writer != FREE || nempty(sem_queue) -> sem_queue!me,READ; asleep[me] = ON_SEM; assert_isolation() };
		d_step { granted[me] -> granted[me] = 0 }
	fi
}

inline down_write(me) {
	if
	:: d_step { writer == FREE && readers == 0 && empty(sem_queue) -> writer = me }
	:: d_step {
			writer != FREE || readers > 0 || nempty(sem_queue) ->
			sem_queue!me,WRITE;
			asleep[me] = ON_SEM;
			assert_isolation()
		};
		d_step { granted[me] -> granted[me] = 0 }
	fi
}

/* __rwsem_do_wake: the first, and the readers right behind a reader. Whoever is woken has been given the lock. */
inline grant() {
	if
	:: sem_queue?[i,WRITE] ->
		sem_queue?i,WRITE;
		writer = i;
		granted[i] = 1;
		asleep[i] = AWAKE
	:: else ->
		do
		:: sem_queue?[i,READ] ->
			sem_queue?i,READ;
			readers++;
			reads[i] = 1;
			granted[i] = 1;
			asleep[i] = AWAKE
		:: else -> break
		od
	fi;
	i = 0
}

inline up_read(me) {
	if
	:: d_step { readers > 1 -> reads[me] = 0; readers-- }
	:: d_step { readers == 1 -> reads[me] = 0; readers = 0; grant() }
	fi
}

inline up_write() {
	MOVE(writer = FREE; grant())
}
#endif

/* --- the charge ---------------------------------------------------------------------------------------------------- */
#define full(g) (usage[g] >= LIMIT(g))
#define over_limit(g) (full(g) -> g : (PARENT(g) != ROOT && full(PARENT(g)) -> PARENT(g) : ROOT))

inline res_charge(g) {
	usage[g]++;
	if
	:: PARENT(g) != ROOT -> usage[PARENT(g)]++
	:: else
	fi;
	skip
}

inline res_uncharge(g) {
	usage[g]--;
	if
	:: PARENT(g) != ROOT -> usage[PARENT(g)]--
	:: else
	fi;
	skip
}

#ifdef KILLER_ON
/* mem_cgroup_out_of_memory: the task of the group with the most pages, the oldest of several; nobody while one is dying. */
inline out_of_memory(g) {
	over = FREE;
	for (i : 0 .. TASKS - 1) {
		if
		:: GROUP_OF(i) == g && !gone[i] && (over == FREE || RSS(i) > RSS(over)) -> over = i
		:: else
		fi
	}
	for (i : 0 .. TASKS - 1) {
		if
		:: GROUP_OF(i) == g && sigkill[i] && !gone[i] -> over = FREE
		:: else
		fi
	}
	if
	:: over != FREE -> send_sigkill(over)
	:: else
	fi
	i = 0;
	over = 0
}
#define may_kill (oom_lock == 0)
#else
#define may_kill false
#endif

inline leave_oom() {
	oom_lock--;
	wake_oom()
}

/* The second half of mem_cgroup_handle_oom: a task that dies is done with its charge, another one tries again. */
#define AFTER_OOM(me) \
	if \
	:: d_step { asleep[me] == AWAKE && dying(me) -> leave_oom(); short_of[me] = ROOT } \
	:: d_step { asleep[me] == AWAKE && !dying(me) -> leave_oom() }; goto try_charge \
	fi

/* Who finds nobody in the section has somebody killed, in a move of its own. */
#ifdef KILLER_ON
#define KILL_FIRST(me, g) \
		:: d_step { full(short_of[me]) && may_kill -> oom_lock++ }; \
			MOVE(out_of_memory(g)); \
			AFTER_OOM(me)
#else
#define KILL_FIRST(me, g)
#endif

/* __mem_cgroup_try_charge, for one page. The group's reclaim finds nothing (anonymous pages, no swap), in the move of
 * the try that fails; the next move sees so and enters the OOM section. A task that dies is let through, uncounted. */
#define CHARGE(me, g) \
try_charge: \
	if \
	:: g == ROOT \
	:: d_step { g != ROOT && dying(me) -> short_of[me] = ROOT } \
	:: d_step { g != ROOT && !dying(me) && over_limit(g) == ROOT -> res_charge(g); charged = 1; short_of[me] = ROOT } \
	:: d_step { \
			g != ROOT && !dying(me) && over_limit(g) != ROOT -> \
			short_of[me] = over_limit(g); \
			assert_isolation() \
		}; \
		if \
		:: !full(short_of[me]) -> goto try_charge /* there is room by now */ \
		KILL_FIRST(me, g) \
		:: d_step { \
				full(short_of[me]) && !may_kill -> \
				oom_lock++; \
				asleep[me] = (dying(me) -> AWAKE : ON_OOM) \
			}; \
			AFTER_OOM(me) \
		fi \
	fi

/* --- the fault's other steps --------------------------------------------------------------------------------------- */
/* filemap_fault's lookup; beyond the end of the file: SIGBUS. */
inline find_page() {
#ifdef TRUNCATE
	if
	:: file_pages > 0
	:: d_step { file_pages == 0 -> why = SIGBUS }; goto undo_charge
	fi
#else
	STEP(find_page)
#endif
}

/* With the lock filemap_fault looks whether the page is still the file's, and within it. */
#ifdef TRUNCATE
#define LOCKED(me) \
	:: d_step { asleep[me] == AWAKE && page_lock == FREE && cached && file_pages > 0 -> page_lock = me } \
	:: d_step { asleep[me] == AWAKE && page_lock == FREE && cached && file_pages == 0 -> page_lock = me; why = SIGBUS }; \
		goto undo_lock \
	:: asleep[me] == AWAKE && page_lock == FREE && !cached -> /* lets go of it; looked up again, it is not there */ \
		why = SIGBUS; \
		goto undo_charge
#else
#define LOCKED(me) \
	:: d_step { asleep[me] == AWAKE && page_lock == FREE -> page_lock = me }
#endif

/* lock_page_or_retry. */
#define LOCK_PAGE(me) \
lock_or_retry: \
	if \
	LOCKED(me) \
	:: d_step { \
			asleep[me] == AWAKE && page_lock != FREE && !retried && !dying(me) -> \
			asleep[me] = ON_UNLOCK; \
			assert_isolation() \
		}; \
wait_on_page: \
		if \
		:: d_step { asleep[me] == AWAKE && page_lock == FREE -> why = RETRY }; goto undo_ref \
		:: d_step { asleep[me] == AWAKE && page_lock != FREE && dying(me) -> why = KILLED_NO_SEM }; goto undo_ref \
		:: d_step { \
				asleep[me] == AWAKE && page_lock != FREE && !dying(me) -> \
				asleep[me] = ON_UNLOCK; \
				assert_isolation() \
			}; \
			goto wait_on_page \
		fi \
	:: d_step { asleep[me] == AWAKE && page_lock != FREE && !retried && dying(me) -> why = KILLED_NO_SEM }; \
		goto undo_ref \
	:: d_step { asleep[me] == AWAKE && page_lock != FREE && retried && dying(me) -> why = KILLED }; goto undo_ref \
	:: d_step { \
			asleep[me] == AWAKE && page_lock != FREE && retried && !dying(me) -> \
			asleep[me] = FOR_LOCK; \
			page_queue!me; \
			assert_isolation() \
		}; \
		goto lock_or_retry \
	fi

/* A plain lock_page(). */
#define RELOCK_PAGE(me) \
again: \
	if \
	:: d_step { asleep[me] == AWAKE && page_lock == FREE -> page_lock = me } \
	:: d_step { \
			asleep[me] == AWAKE && page_lock != FREE -> \
			asleep[me] = FOR_LOCK_D; \
			page_queue!me; \
			assert_isolation() \
		}; \
		goto again \
	fi

inline recheck_mapping() {
#ifdef TRUNCATE
	if
	:: cached
	:: d_step { !cached -> why = RETRY }; goto undo_relock
	fi
#else
	STEP(recheck_mapping)
#endif
}

inline uncharge(g) {
	if
	:: charged -> res_uncharge(g)
	:: !charged
	fi;
	charged = 0
}

/* pte_same, set_pte_at: the copy is mapped, unless another thread was faster. */
inline map_copy(g) {
	if
	:: d_step { mapped == 0 -> mapped = 1 + charged; charged = 0; assert_no_stale_page() }
	:: d_step { mapped != 0 -> uncharge(g) }
	fi
}

#define UNLOCK MOVE(unlock_page())

/* __do_fault for a write to a private mapping, in the order of each design. */
#if DESIGN == LINUX_3_0
inline file_cow(me, g) {
	find_page();
	LOCK_PAGE(me);
	STEP(anon_vma_prepare);
	STEP(alloc_page);
	CHARGE(me, g);
	STEP(copy_page);
	map_copy(g);
	UNLOCK;
	STEP(put_page)
}
#elif DESIGN == PREALLOCATE
inline file_cow(me, g) {
	STEP(anon_vma_prepare);
	STEP(alloc_page);
	CHARGE(me, g);
	find_page();
	LOCK_PAGE(me);
	STEP(copy_page);
	map_copy(g);
	UNLOCK;
	STEP(put_page)
}
#elif DESIGN == CHARGE_AFTER_UNLOCK
inline file_cow(me, g) {
	find_page();
	LOCK_PAGE(me);
	STEP(anon_vma_prepare);
	STEP(alloc_page);
	STEP(copy_page);
	UNLOCK;
	CHARGE(me, g);
	map_copy(g);
	STEP(put_page)
}
#elif DESIGN == UNLOCK_CHARGE_RELOCK
inline file_cow(me, g) {
	find_page();
	LOCK_PAGE(me);
	UNLOCK;
	STEP(anon_vma_prepare);
	STEP(alloc_page);
	CHARGE(me, g);
	RELOCK_PAGE(me);
	recheck_mapping();
	STEP(copy_page);
	map_copy(g);
	UNLOCK;
	STEP(put_page)
}
#endif

/* __do_fault for a read: the file's page itself is mapped. */
inline file_read(me) {
	find_page();
	LOCK_PAGE(me);
	if
	:: d_step { mapped == 0 -> mapped = 1 }
	:: mapped != 0
	fi;
	UNLOCK;
	STEP(put_page)
}

/* A task that writes to the page, or reads it. */
#define TOUCH_WRITE(me, g) TOUCH(me, g, file_cow(me, g), UNDO_CHARGE(g))
#define TOUCH_READ(me) TOUCH(me, ROOT, file_read(me), )

/* A task that touches the page: it faults, and tries again, until the page is mapped or the file has ended.
 * What a fault has taken it gives back in reverse order, a thing a move. A killed one goes on at ``exiting``. */
#define TOUCH(me, g, PATH, UNDO) \
	PRIVATE_PTE \
	bit charged = 0; \
	bit retried = 0; /* a second try has no FAULT_FLAG_ALLOW_RETRY */ \
	byte why = 0; \
user: \
	if \
	:: dying(me) -> goto exiting \
	:: !dying(me) && mapped != 0 -> goto touched \
	:: !dying(me) && mapped == 0 \
	fi; \
fault: \
	STEP(mmap_read_lock); \
	STEP(find_vma); \
	if \
	:: mapped == 0 \
	:: mapped != 0 -> goto mapped_already /* handle_pte_fault */ \
	fi; \
	PATH; \
	STEP(handle_pte_fault); \
mapped_already: \
	retried = 0; /* mmap_read_unlock */ \
	goto user; \
undo_relock: \
	UNLOCK; \
	MOVE(uncharge(g)); \
	STEP(free_page); \
	STEP(put_page); \
	goto give_up; \
undo_lock: \
	UNLOCK; \
undo_ref: \
	STEP(put_page); \
undo_charge: \
	UNDO \
give_up: \
	STEP(leave); \
	if \
	:: d_step { why == RETRY && !dying(me) -> retried = 1; why = 0 }; goto fault \
	:: d_step { why == RETRY && dying(me) -> why = KILLED_NO_SEM } \
	:: why == KILLED_NO_SEM \
	:: why == KILLED || why == SIGBUS -> \
		STEP(mmap_read_unlock) \
	fi; \
	if \
	:: d_step { why == SIGBUS -> retried = 0; why = 0 } \
	:: d_step { why != SIGBUS -> retried = 0; why = 0 }; goto user \
	fi; \
	STEP(skip_it); /* back from the signal's handler */ \
touched:

#if DESIGN == PREALLOCATE
#define UNDO_CHARGE(g) \
	MOVE(uncharge(g)); \
	STEP(free_page);
#else
#define UNDO_CHARGE(g)
#endif

/* exit_mm, a mapping a move: the file's (with the copy, if there is one), then the others, with so many charged pages. */
inline exit_file(g) {
	if
	:: d_step { mapped == 2 -> mapped = 0; res_uncharge(g); oom_recover() }
	:: d_step { mapped != 2 -> mapped = 0 }
	fi
}

inline exit_heap(g) {
	MOVE(res_uncharge(g); oom_recover())
}

inline exit_notify(me) {
#ifdef KILLS
	MOVE(gone[me] = 1; sigkill[me] = 0)
#else
	STEP(exit_notify)
#endif
}
