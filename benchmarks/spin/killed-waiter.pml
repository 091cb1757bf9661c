/* The commit's case, where both write, and both may be killed at any time (kernel/signal.c; mm/filemap.c,
 * __lock_page_killable; mm/memcontrol.c: a task that dies is charged nothing). */
#define TASKS 2
#define ATTACKER 0
#define VICTIM 1
#define GROUP_OF(t) (t == ATTACKER -> A : ROOT)
#define PARENT(g) ROOT
#define LIMIT(g) 1
#define USAGE { 0, 1, 0 }
#define KILLS
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
	TOUCH_WRITE(VICTIM, ROOT)
	STEP(exit);
exiting:
	exit_file(ROOT);
	exit_notify(VICTIM);
	false
}

active proctype kill_victim() {
	d_step { !gone[VICTIM] && !sigkill[VICTIM] -> send_sigkill(VICTIM) };
	false
}

active proctype kill_attacker() {
	d_step { !gone[ATTACKER] && !sigkill[ATTACKER] -> send_sigkill(ATTACKER) };
	false
}
