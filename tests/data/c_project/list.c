#include "parts.h"
#include <stdlib.h>
#include <string.h>

struct node *list_push(struct node *head, const char *word)
{
	struct node *node = malloc(sizeof(*node));
	if (!node || !(node->word = strdup(word)))
		abort();
	node->next = head;
	return node;
}

void list_free(struct node *head)
{
	while (head) {
		struct node *next = head->next;
		free(head->word);
		free(head);
		head = next;
	}
}
