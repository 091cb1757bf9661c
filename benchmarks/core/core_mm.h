/*
 * Pages, page tables with their reverse mapping, the page lock, the lists for reclaim, and the memory controller
 * (see README.md, "Memory" and "The group").
 */

enum page_flag { PG_UPTODATE = 1, PG_DIRTY = 2, PG_REFERENCED = 4, PG_ACTIVE = 8, PG_LRU = 16, PG_ANON = 32 };
enum pte_flag { PTE_PRESENT = 1, PTE_WRITE = 2, PTE_ACCESSED = 4, PTE_DIRTY = 8 };
enum lru_list { INACTIVE_ANON, ACTIVE_ANON, INACTIVE_FILE, ACTIVE_FILE, NLISTS };

#define ENTRIES 512
#define ENTRY_BITS 9
#define LEVELS 3		/* of directories, above the leaf tables */
#define CHARGE_BATCH 32
#define RECLAIM_RETRIES 5

struct page {
	int locked_by;
	struct waitq waiters;
	int group, file, index, flags, refs, mapcount, rmap;
	struct { int next, prev; } links[2];	/* on a list of its group, and of the zone */
	i64 locked_at;
};

struct pte { int page, flags, rmap_next, rmap_prev; };
struct table { int mm, used, up, slot; i64 start; struct pte pte[ENTRIES]; };
struct directory { int used, up, slot, entry[ENTRIES]; };
struct vma { int next, file, writable, anon_vma; i64 start, end, pgoff; };
struct mm { int users, readers, writer, root, vmas, last_vma, last_table, anon_rss, file_rss, ntables; };
struct lru { int head, tail, count; };
struct recent { i64 scanned[2], rotated[2]; };	/* anonymous pages, pages of files */
enum links { OF_GROUP, OF_ZONE };

struct memcg {
	int parent, oom_lock, under_oom, tasks;
	i64 usage, limit, max_usage, failcnt;
	i64 pgpgin, pgpgout, cache, rss, mapped_file, pgfault;
	struct waitq oom_waiters;
	struct lru lists[NLISTS];
	struct recent recent;
};

static struct page *pages;
static struct table *tables;
static struct directory *directories;
static struct vma *vmas;
static struct mm *mms;
static struct memcg memcgs[2];	/* the root and the group */
static int *slots;		/* the file's pages in the page cache */
static struct { struct lru lists[NLISTS]; struct recent recent; } zone;
static i64 memory, low_pages, used_pages;
static int npages, free_page_list = NONE, ntables, free_tables = NONE, ndirectories, free_directories = NONE;
static i64 max_hold;

/* --- the page lock --- */
static int trylock_page(int p, int t)
{
	if (pages[p].locked_by != NONE)
		return 0;
	pages[p].locked_by = t;
	pages[p].locked_at = now;
	return 1;
}

static void unlock_page(int p)
{
	struct page *page = &pages[p];

	max_hold = max(max_hold, now - page->locked_at);
	page->locked_by = NONE;
	while (page->waiters.head != NONE) {
		int exclusive = tasks[page->waiters.head].exclusive;
		wake_first(&page->waiters);
		if (exclusive)
			return;
	}
}

/* --- the lists for reclaim --- */
static int list_of(struct page *page)
{
	return (page->flags & PG_ANON ? INACTIVE_ANON : INACTIVE_FILE) + !!(page->flags & PG_ACTIVE);
}

static void list_add(struct lru *list, int p, enum links which)
{
	pages[p].links[which].prev = NONE;
	pages[p].links[which].next = list->head;
	if (list->head == NONE)
		list->tail = p;
	else
		pages[list->head].links[which].prev = p;
	list->head = p;
	list->count++;
}

static void list_del(struct lru *list, int p, enum links which)
{
	int next = pages[p].links[which].next, prev = pages[p].links[which].prev;

	if (prev == NONE)
		list->head = next;
	else
		pages[prev].links[which].next = next;
	if (next == NONE)
		list->tail = prev;
	else
		pages[next].links[which].prev = prev;
	list->count--;
}

static void lru_add(int p)
{
	struct page *page = &pages[p];

	page->flags |= PG_LRU;
	list_add(&zone.lists[list_of(page)], p, OF_ZONE);
	if (page->group != NONE)
		list_add(&memcgs[page->group].lists[list_of(page)], p, OF_GROUP);
}

static void lru_del(int p)
{
	struct page *page = &pages[p];

	list_del(&zone.lists[list_of(page)], p, OF_ZONE);
	if (page->group != NONE)
		list_del(&memcgs[page->group].lists[list_of(page)], p, OF_GROUP);
	page->flags &= ~PG_LRU;
}

static void note_recent(int p)
{
	int kind = !(pages[p].flags & PG_ANON);

	zone.recent.scanned[kind]++;
	zone.recent.rotated[kind]++;
	if (pages[p].group != NONE) {
		memcgs[pages[p].group].recent.scanned[kind]++;
		memcgs[pages[p].group].recent.rotated[kind]++;
	}
}

static void mark_page_accessed(int p)
{
	struct page *page = &pages[p];

	if (!(page->flags & PG_ACTIVE) && page->flags & PG_REFERENCED && page->flags & PG_LRU) {
		lru_del(p);
		page->flags = (page->flags | PG_ACTIVE) & ~PG_REFERENCED;
		lru_add(p);
		note_recent(p);
	} else {
		page->flags |= PG_REFERENCED;
	}
}

/* --- pages --- */
static int alloc_page(void)
{
	int p = free_page_list;

	if (memory - used_pages <= low_pages)
		abort();			/* the machine has memory enough for the group and the file */
	if (p != NONE)
		free_page_list = pages[p].links[OF_GROUP].next;
	else
		p = npages++;
	used_pages++;
	pages[p] = (struct page){ .locked_by = NONE, .waiters = { NONE, NONE }, .group = NONE, .file = NONE, .refs = 1,
				  .rmap = NONE, .links = { { NONE, NONE }, { NONE, NONE } } };
	return p;
}

static void free_page(int p)
{
	pages[p].links[OF_GROUP].next = free_page_list;
	free_page_list = p;
	used_pages--;
	spent += cost[FREE_PAGE];
}

/* --- page tables --- */
static int new_directory(int up, int slot)
{
	int d = free_directories;

	if (d != NONE) {
		free_directories = directories[d].up;
	} else {
		d = ndirectories++;
		for (int i = 0; i < ENTRIES; i++)
			directories[d].entry[i] = NONE;
	}
	directories[d].used = 0;
	directories[d].up = up;
	directories[d].slot = slot;
	return d;
}

static int new_table(int m, int up, int slot, i64 start)
{
	int table = free_tables;

	if (table != NONE)
		free_tables = tables[table].up;
	else
		table = ntables++;
	tables[table].mm = m;
	tables[table].used = 0;
	tables[table].up = up;
	tables[table].slot = slot;
	tables[table].start = start;
	mms[m].ntables++;
	return table;
}

static int find_table(int m, i64 vpn, int create)
{
	struct mm *mm = &mms[m];
	i64 start = vpn & ~(i64)(ENTRIES - 1);
	int d = mm->root;

	if (mm->last_table != NONE && tables[mm->last_table].start == start)
		return mm->last_table;
	if (d == NONE) {
		if (!create)
			return NONE;
		d = mm->root = new_directory(NONE, 0);
	}
	for (int level = LEVELS; level; level--) {
		int slot = vpn >> (ENTRY_BITS * level) & (ENTRIES - 1), below = directories[d].entry[slot];
		if (below == NONE) {
			if (!create)
				return NONE;
			below = level > 1 ? new_directory(d, slot) : new_table(m, d, slot, start);
			directories[d].entry[slot] = below;
			directories[d].used++;
		}
		d = below;
	}
	return mm->last_table = d;
}

static struct pte *pte_of(int number) { return &tables[number / ENTRIES].pte[number % ENTRIES]; }

static int lookup_pte(int m, i64 vpn)
{
	int table = find_table(m, vpn, 0);

	return table == NONE ? NONE : table * ENTRIES + (int)(vpn & (ENTRIES - 1));
}

static void set_pte(int m, i64 vpn, int p, int flags)
{
	int table = find_table(m, vpn, 1), number = table * ENTRIES + (int)(vpn & (ENTRIES - 1));
	struct page *page = &pages[p];

	*pte_of(number) = (struct pte){ p, flags | PTE_PRESENT, page->rmap, NONE };
	tables[table].used++;
	if (page->rmap != NONE)
		pte_of(page->rmap)->rmap_prev = number;
	page->rmap = number;
	page->mapcount++;
	if (page->flags & PG_ANON) {
		mms[m].anon_rss++;
	} else {
		mms[m].file_rss++;
		if (page->mapcount == 1 && page->group != NONE)
			memcgs[page->group].mapped_file++;
	}
}

static void free_table(int number)
{
	struct table *table = &tables[number];
	int up = table->up, slot = table->slot;

	mms[table->mm].ntables--;
	mms[table->mm].last_table = NONE;
	table->start = NONE;
	table->up = free_tables;
	free_tables = number;
	while (up != NONE) {
		struct directory *directory = &directories[up];
		int above = directory->up;
		directory->entry[slot] = NONE;
		if (--directory->used)
			return;
		slot = directory->slot;
		directory->up = free_directories;
		free_directories = up;
		if (above == NONE)
			mms[table->mm].root = NONE;
		up = above;
	}
}

static int clear_pte(int number)
{
	struct pte *pte = pte_of(number);
	struct table *table = &tables[number / ENTRIES];
	struct page *page = &pages[pte->page];
	int p = pte->page;

	if (pte->rmap_prev == NONE)
		page->rmap = pte->rmap_next;
	else
		pte_of(pte->rmap_prev)->rmap_next = pte->rmap_next;
	if (pte->rmap_next != NONE)
		pte_of(pte->rmap_next)->rmap_prev = pte->rmap_prev;
	page->mapcount--;
	if (pte->flags & PTE_DIRTY)
		page->flags |= PG_DIRTY;
	if (page->flags & PG_ANON) {
		mms[table->mm].anon_rss--;
	} else {
		mms[table->mm].file_rss--;
		if (!page->mapcount && page->group != NONE)
			memcgs[page->group].mapped_file--;
	}
	*pte = (struct pte){ 0 };
	spent += cost[ZAP_PTE];
	if (!--table->used)
		free_table(number / ENTRIES);
	return p;
}
