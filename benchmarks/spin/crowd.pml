/* The commit's case with two tasks that copy the page and two that read it: large enough for a rate (crowd.toml). */
#define TASKS 4
#define ATTACKERS 2
#define GROUP_OF(t) (t < ATTACKERS -> A : ROOT)
#define PARENT(g) ROOT
#define LIMIT(g) 2
#define USAGE { 0, 2, 0 }
#include "kernel.pml"

active [2] proctype attacker() {
	TOUCH_WRITE(_pid, A)
	STEP(exit);
exiting:
	exit_file(A);
	exit_heap(A);
	exit_notify(_pid);
	false
}

active [2] proctype victim() {
	TOUCH_READ(_pid)
	STEP(exit);
exiting:
	exit_file(ROOT);
	exit_notify(_pid);
	false
}
