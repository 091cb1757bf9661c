#include "parts.h"
#include <ctype.h>
#include <locale.h>
#include <string.h>

struct node *words_of(const char *text)
{
	struct node *head = NULL;
	char word[64];
	size_t length = 0;
	for (;; text++) {
		if (isalpha((unsigned char)*text) && length + 1 < sizeof(word)) {
			word[length++] = (char)tolower((unsigned char)*text);
			continue;
		}
		if (length) {
			word[length] = '\0';
			head = list_push(head, word);
			length = 0;
		}
		if (!*text)
			return head;
	}
}
