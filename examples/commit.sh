# The experiment of commit 1d65f86db148 ("mm: preallocate page before lock_page() at filemap COW"), word for word:
# a compile job with as many processes as there are files, in a group that is far too small for it.
# Who outside of the group is held up by it, and why?

cgcreate -g memory:A
cgset -r memory.limit_in_bytes=64M A
cgset -r memory.memsw.limit_in_bytes=64M A
cd kernel_dir; cgexec -g memory:A make -j
