/* The file is truncated while a task waits for memory to copy its page, and the limit may be raised (mm/truncate.c,
 * truncate_pagecache: unmap, take the pages out of the cache under their locks, unmap again). */
#define TASKS 2
#define ATTACKER 0
#define TRUNCATER 1
#define GROUP_OF(t) (t == ATTACKER -> A : ROOT)
#define PARENT(g) ROOT
#define LIMIT(g) limit
#define USAGE { 0, 1, 0 }
#define TRUNCATE
#define SHARED_PTE
byte limit = 1;
#include "kernel.pml"

active proctype attacker() {
	TOUCH_WRITE(ATTACKER, A)
	false;
exiting:
	false
}

active proctype truncater() {
	STEP(start);
	STEP(truncate);
	I_MUTEX_LOCK(TRUNCATER);
	if /* truncate_setsize, unmap_mapping_range */
	:: d_step { mapped == 2 -> file_pages = 0; mapped = 0; res_uncharge(A); oom_recover() }
	:: d_step { mapped != 2 -> file_pages = 0; mapped = 0 }
	fi;
	STEP(each_page);
truncate_page:
	if /* truncate_inode_pages */
	:: d_step { asleep[TRUNCATER] == AWAKE && page_lock == FREE -> cached = 0; unlock_page() }
	:: d_step {
			asleep[TRUNCATER] == AWAKE && page_lock != FREE ->
			asleep[TRUNCATER] = FOR_LOCK_D;
			page_queue!TRUNCATER;
			assert_isolation()
		};
		goto truncate_page
	fi;
	STEP(next_page);
	STEP(each_page);
	if /* unmap_mapping_range */
	:: d_step { mapped == 2 -> mapped = 0; res_uncharge(A); oom_recover() }
	:: d_step { mapped != 2 -> mapped = 0 }
	fi;
	i_mutex_unlock();
	false
}

active proctype raise_limit() {
	MOVE(limit = 2; oom_recover());
	false
}
