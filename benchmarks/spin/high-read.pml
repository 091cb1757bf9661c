/* The attacker reads a cold file at once, and somebody outside reads its first page. */
#define PAGES 2
#include "high.pml"

active proctype attacker() {
	READER(ATTACKER, 2)
}

active proctype other() {
	READER(OTHER, 1)
}
