/* The commit's case with the OOM killer on (mm/oom_kill.c, mem_cgroup_out_of_memory): A has two tasks, each with a page of
 * two; a third page is wanted. The one that has nothing to do, the hog, moves only when it is killed. */
#define TASKS 3
#define ATTACKER 0
#define HOG 1
#define VICTIM 2
#define GROUP_OF(t) (t == VICTIM -> ROOT : A)
#define PARENT(g) ROOT
#define LIMIT(g) 2
#define USAGE { 0, 2, 0 }
#define RSS(t) 1
#define KILLS
#define KILLER_ON
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

active proctype hog() {
	sigkill[HOG];
	exit_heap(A);
	exit_notify(HOG);
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
