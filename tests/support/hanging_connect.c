// Preloaded into an exporter: connecting to port 9 never returns, as a call that must not block but
// does. That takes the thread that connects, which is the I/O thread, out of service for good.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int connect(int socket, const struct sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_INET && ((const struct sockaddr_in*)address)->sin_port == htons(9)) {
    for (;;) pause();
  }
  int (*real)(int, const struct sockaddr*, socklen_t) =
      (int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect");
  return real(socket, address, size);
}
