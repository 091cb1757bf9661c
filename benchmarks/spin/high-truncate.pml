/* The attacker reads a cold file at once, and somebody outside truncates it to one page (ext4_setattr). */
#define PAGES 3
#include "high.pml"

active proctype attacker() {
	READER(ATTACKER, 3)
}

active proctype truncater() {
	byte at = 1;
	STEP(truncate);
	STEP(inode_lock); /* nobody else wants it */
	LOCK(OTHER);
	file_pages = 1; /* truncate_setsize */
	do
	:: at < PAGES ->
truncate_page:
		if
		:: d_step { asleep[OTHER] == AWAKE && page[at] != READING -> drop(at) }
		:: WAIT_ON_PAGE(OTHER, at);
			asleep[OTHER] == AWAKE -> goto truncate_page
		fi;
		at++
	:: at >= PAGES -> break
	od;
	MOVE(unlock());
	STEP(inode_unlock);
	false
}
