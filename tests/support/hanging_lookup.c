/* Preloaded into a program, makes the lookup of every name below .hang take forever, as a resolver
 * that is cut off does. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int (*Lookup)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** result) {
  const size_t length = node ? strlen(node) : 0;
  while (length > 5 && strcmp(node + length - 5, ".hang") == 0) pause();
  return ((Lookup)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, result);
}
