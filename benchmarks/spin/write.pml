/* write(2) charges a page of the page cache under the file's i_mutex (mm/filemap.c, generic_file_aio_write and
 * grab_cache_page_write_begin); another writer waits for it. The same in all designs. */
#define TASKS 2
#define ATTACKER 0
#define VICTIM 1
#define GROUP_OF(t) (t == ATTACKER -> A : ROOT)
#define PARENT(g) ROOT
#define LIMIT(g) 1
#define USAGE { 0, 1, 0 }
#define WRITES
#include "kernel.pml"

#define WRITER(me, g) \
	bit charged = 0; \
	STEP(write); \
	I_MUTEX_LOCK(me); \
	STEP(each_page); \
	STEP(copy_from_user); \
	STEP(grab_page); \
	STEP(alloc_page); \
	CHARGE(me, g); \
	STEP(add_to_page_cache); \
	STEP(set_page_dirty); \
	STEP(unlock_page); \
	STEP(put_page); \
	STEP(balance_dirty_pages); \
	STEP(next_page); \
	STEP(each_page); \
	i_mutex_unlock(); \
	STEP(exit); \
	STEP(exit_mm); \
	exit_notify(me); \
	false

active proctype attacker() {
	WRITER(ATTACKER, A)
}

active proctype victim() {
	WRITER(VICTIM, ROOT)
}
