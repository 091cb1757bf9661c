/* A reader of another process' mmap_sem, behind a thread that wants to write, behind a fault that waits for memory
 * (lib/rwsem.c: who is woken has been given the lock, a writer that waits keeps new readers out; fs/proc/task_mmu.c). The
 * fault is one on anonymous memory (do_anonymous_page), the same in all designs. */
#define TASKS 3
#define ATTACKER 0
#define MAPPER 1
#define PS 2
#define GROUP_OF(t) (t == PS -> ROOT : A)
#define PARENT(g) ROOT
#define LIMIT(g) 1
#define USAGE { 0, 1, 0 }
#define MMAP_SEM
#define READER (reads[ATTACKER] -> ATTACKER : PS)
#include "kernel.pml"

active proctype attacker() {
	bit charged = 0;
	STEP(touch);
	down_read(ATTACKER);
	STEP(find_vma);
	STEP(handle_pte_fault);
	STEP(anon_vma_prepare);
	STEP(alloc_page);
	STEP(clear_page);
	CHARGE(ATTACKER, A);
	assert(false) /* it never comes about: the thread's end frees nothing */
}

active proctype mapper() {
	STEP(mmap);
	down_write(MAPPER);
	STEP(map_region);
	up_write();
	STEP(exit);
	STEP(exit_mm);
	exit_notify(MAPPER);
	false
}

active proctype ps() {
	STEP(read_proc);
	down_read(PS);
	STEP(show_map);
	up_read(PS);
	STEP(mmput);
	STEP(exit);
	STEP(exit_mm);
	exit_notify(PS);
	false
}
