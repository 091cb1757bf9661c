/* Two threads of a process copy the same page at once (mm/memory.c, pte_same): who comes too late gives his page back. The
 * limit leaves room for both. */
#define TASKS 2
#define GROUP_OF(t) A
#define PARENT(g) ROOT
#define LIMIT(g) 3
#define USAGE { 0, 0, 0 }
#define SHARED_PTE
#include "kernel.pml"

active [2] proctype thread() {
	TOUCH_WRITE(_pid, A)
	false;
exiting:
	false
}
