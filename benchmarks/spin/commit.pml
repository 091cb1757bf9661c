/* Two groups and one page, the commit's own case: A is full and its killer is off; one of its tasks copies a page of a
 * library (mm/memory.c, __do_fault), while a task outside reads the same page. */
#define TASKS 2
#define ATTACKER 0
#define VICTIM 1
#define GROUP_OF(t) (t == ATTACKER -> A : ROOT)
#define PARENT(g) ROOT
#define LIMIT(g) 1
#define USAGE { 0, 1, 0 }
#include "kernel.pml"

active proctype attacker() {
	TOUCH_WRITE(ATTACKER, A)
	STEP(exit);
exiting:
	exit_file(A);
	exit_heap(A);
	exit_notify(ATTACKER);
	false
}

active proctype victim() {
	TOUCH_READ(VICTIM)
	STEP(exit);
exiting:
	exit_file(ROOT);
	exit_notify(VICTIM);
	false
}
