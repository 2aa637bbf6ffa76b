// jemalloc.h redeclares malloc and its family; only the control interface is needed here.
#include <stddef.h>
extern int mallctl(const char *name, void *old, size_t *old_size, void *new_value, size_t new_size);
extern int mallctlnametomib(const char *name, size_t *mib, size_t *mib_length);
extern int mallctlbymib(const size_t *mib, size_t mib_length, void *old, size_t *old_size, void *new_value,
                        size_t new_size);
