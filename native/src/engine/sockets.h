// The sockets of the operating system, and all that the engine does with them: what systems call by different
// names has one here. A socket is an `int` everywhere; it does not block, and a child process does not get
// it. What fails gives -1, or false, and sets errno, also where the system keeps its errors elsewhere.
// Implemented by sockets_posix.cpp and sockets_windows.cpp. Any thread.
#pragma once

#ifdef _WIN32
#include <winsock2.h>
// Behind it.
#include <afunix.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#endif

#include <libwebsockets.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ohws {

#ifdef _WIN32
// A run of bytes for SendRuns(), as POSIX has it.
struct iovec {
  void* iov_base;
  size_t iov_len;
};
#endif

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un local;
  sockaddr_storage storage;
};

// That of a connection of lws; -1 if it has none.
inline int SocketOf(lws* wsi) { return static_cast<int>(lws_get_socket_fd(wsi)); }

// Of TCP, or of this machine (AF_UNIX) where the system has that.
int OpenStreamSocket(int family);
// The next connection of a listening socket.
int AcceptSocket(int listening, SocketAddress& address);
void CloseSocket(int socket);

bool BindSocket(int socket, const SocketAddress& address, socklen_t size);
bool ListenOnSocket(int socket, int backlog);
bool ConnectSocket(int socket, const SocketAddress& address, socklen_t size);
// What it is bound to, and connected to; the size of that, 0 if it is neither.
socklen_t LocalAddressOf(int socket, SocketAddress& address);
socklen_t PeerAddressOf(int socket, SocketAddress& address);

// A listening socket may have the port of one that is closed, but whose connections linger; of no other.
bool ReuseAddress(int socket);
// Other sockets that say so too may listen on the same port; the kernel shares out who comes.
bool SharePort(int socket);
bool SetIpv6Only(int socket, bool only);
bool SetNoDelay(int socket);

// How much has come, or was taken. A peer that is gone is an error, never a signal.
ptrdiff_t Receive(int socket, std::span<uint8_t> into);
// The same, and leaves it there.
ptrdiff_t Peek(int socket, std::span<uint8_t> into);
// Behind what is sent: nobody knows; or EndOutput(), at once, so that the bytes may wait for it, to leave in
// one segment with the end.
enum class Follows : uint8_t { kUnknown, kEnd };
ptrdiff_t Send(int socket, std::span<const uint8_t> bytes, Follows follows = Follows::kUnknown);
ptrdiff_t SendRuns(int socket, std::span<const iovec> runs, Follows follows = Follows::kUnknown);
// Tells the peer that nothing follows.
void EndOutput(int socket);
// What errno says of one of those is that there was nothing, or no room, now.
bool NothingNow();

// poll(2) of all of these: how many have something to report.
int PollSockets(std::span<pollfd> sockets, int timeout_ms);

// Makes a PollSockets() return that watches it for reading. Any thread rings; who polls silences.
class Bell {
 public:
  Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;
  ~Bell();

  // False if the system had nothing to make it of.
  bool ok() const { return ends_[0] >= 0 && ends_[1] >= 0; }
  int to_poll() const { return ends_[0]; }
  void Ring() const;
  void Silence() const;

 private:
  std::array<int, 2> ends_{-1, -1};  // what is written to the second can be read of the first
};

// The errno of an error that somebody else had from the system, as lws tells it.
int ErrnoOf(int system_error);
std::string TextOfErrno(int error_number);

}  // namespace ohws
