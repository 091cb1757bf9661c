/* The limit that is met is the parent's (mm/memcontrol.c, res_counter_charge up the hierarchy): A and B, without a limit,
 * are below P, which is full of B's memory. */
#define TASKS 2
#define ATTACKER 0
#define VICTIM 1
#define GROUP_OF(t) (t == ATTACKER -> A : ROOT)
#define PARENT(g) (g == A -> P : ROOT)
#define LIMIT(g) (g == P -> 1 : 100)
#define USAGE { 0, 0, 1 }
#include "kernel.pml"

active proctype attacker() {
	TOUCH_WRITE(ATTACKER, A)
	STEP(exit);
exiting:
	exit_file(A);
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
