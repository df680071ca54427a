/* Preloaded into a program, makes the lookup of every name below .hang take forever, as a resolver
 * that is cut off does. A name below .moves is 127.0.0.1 the first time and 127.0.0.2 from then on,
 * one below .strays the other way round. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

typedef int (*Lookup)(const char*, const char*, const struct addrinfo*, struct addrinfo**);

static int is_below(const char* name, const char* domain) {
  const size_t length = name ? strlen(name) : 0;
  return length > strlen(domain) && strcmp(name + length - strlen(domain), domain) == 0;
}

int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints,
                struct addrinfo** result) {
  static atomic_int lookups;
  while (is_below(node, ".hang")) pause();
  if (is_below(node, ".moves") || is_below(node, ".strays")) {
    const int home = (atomic_fetch_add(&lookups, 1) == 0) == is_below(node, ".moves");
    node = home ? "127.0.0.1" : "127.0.0.2";
  }
  return ((Lookup)dlsym(RTLD_NEXT, "getaddrinfo"))(node, service, hints, result);
}
