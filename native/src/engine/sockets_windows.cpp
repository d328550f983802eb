// Winsock, made to look as the engine expects it: its errors become errno, gathering writes go through
// WSASend. Any thread.
#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "engine/sockets.h"

namespace ohws {

namespace {

// One write carries so many runs at most; the rest follows with the next.
constexpr size_t kMostRuns = 64;

struct ErrorPair {
  int windows;
  int posix;
};

constexpr auto kErrors = std::to_array<ErrorPair>({
    {WSAEINTR, EINTR},
    {WSAEACCES, EACCES},
    {WSAEFAULT, EFAULT},
    {WSAEINVAL, EINVAL},
    {WSAEMFILE, EMFILE},
    {WSAEWOULDBLOCK, EWOULDBLOCK},
    {WSAEINPROGRESS, EINPROGRESS},
    {WSAEALREADY, EALREADY},
    {WSAENOTSOCK, ENOTSOCK},
    {WSAEPROTONOSUPPORT, EPROTONOSUPPORT},
    {WSAEOPNOTSUPP, EOPNOTSUPP},
    {WSAEAFNOSUPPORT, EAFNOSUPPORT},
    {WSAEADDRINUSE, EADDRINUSE},
    {WSAEADDRNOTAVAIL, EADDRNOTAVAIL},
    {WSAENETDOWN, ENETDOWN},
    {WSAENETUNREACH, ENETUNREACH},
    {WSAENETRESET, ENETRESET},
    {WSAECONNABORTED, ECONNABORTED},
    {WSAECONNRESET, ECONNRESET},
    {WSAENOBUFS, ENOBUFS},
    {WSAEISCONN, EISCONN},
    {WSAENOTCONN, ENOTCONN},
    {WSAESHUTDOWN, EPIPE},
    {WSAETIMEDOUT, ETIMEDOUT},
    {WSAECONNREFUSED, ECONNREFUSED},
    {WSAEHOSTUNREACH, EHOSTUNREACH},
});

// Windows promises that the upper half of a handle is not used.
SOCKET Handle(int socket) { return static_cast<SOCKET>(socket); }

// `result`, with errno if it says that something failed.
int Told(int result) {
  if (result == SOCKET_ERROR) errno = ErrnoOf(WSAGetLastError());
  return result;
}

// -1 for INVALID_SOCKET; else the socket, which does not block and is not inherited.
int Prepared(SOCKET socket) {
  if (socket == INVALID_SOCKET) return Told(SOCKET_ERROR);
  u_long on = 1;
  ioctlsocket(socket, static_cast<long>(FIONBIO), &on);
  SetHandleInformation(reinterpret_cast<HANDLE>(socket), HANDLE_FLAG_INHERIT, 0);
  return static_cast<int>(socket);
}

int Open(int family, int type) {
  return Prepared(WSASocketW(family, type, 0, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT));
}

bool Set(int socket, int level, int option, bool value) {
  const DWORD number = value ? 1 : 0;
  return Told(setsockopt(Handle(socket), level, option, reinterpret_cast<const char*>(&number),
                         sizeof(number))) == 0;
}

int Length(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

}  // namespace

int OpenStreamSocket(int family) {
  // Those of this machine: their files are no files that chmod(2) or lstat(2) know.
  if (family == AF_UNIX) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  return Open(family, SOCK_STREAM);
}

int AcceptSocket(int listening, SocketAddress& address) {
  int size = sizeof(address);
  return Prepared(accept(Handle(listening), &address.any, &size));
}

void CloseSocket(int socket) { closesocket(Handle(socket)); }

bool BindSocket(int socket, const SocketAddress& address, socklen_t size) {
  return Told(bind(Handle(socket), &address.any, size)) == 0;
}

bool ListenOnSocket(int socket, int backlog) { return Told(listen(Handle(socket), backlog)) == 0; }

bool ConnectSocket(int socket, const SocketAddress& address, socklen_t size) {
  return Told(connect(Handle(socket), &address.any, size)) == 0;
}

socklen_t LocalAddressOf(int socket, SocketAddress& address) {
  int size = sizeof(address);
  return Told(getsockname(Handle(socket), &address.any, &size)) == 0 ? size : 0;
}

socklen_t PeerAddressOf(int socket, SocketAddress& address) {
  int size = sizeof(address);
  return Told(getpeername(Handle(socket), &address.any, &size)) == 0 ? size : 0;
}

// What SO_REUSEADDR is elsewhere goes without saying here. What bears its name lets others take the port too,
// and unless told, so does an address beside `0.0.0.0`.
bool ReuseAddress(int socket) { return Set(socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, true); }

bool SharePort(int /*socket*/) {
  errno = EOPNOTSUPP;
  return false;
}

bool SetIpv6Only(int socket, bool only) { return Set(socket, IPPROTO_IPV6, IPV6_V6ONLY, only); }

bool SetNoDelay(int socket) { return Set(socket, IPPROTO_TCP, TCP_NODELAY, true); }

ptrdiff_t Receive(int socket, std::span<uint8_t> into) {
  return Told(recv(Handle(socket), reinterpret_cast<char*>(into.data()), Length(into.size()), 0));
}

ptrdiff_t Peek(int socket, std::span<uint8_t> into) {
  return Told(recv(Handle(socket), reinterpret_cast<char*>(into.data()), Length(into.size()), MSG_PEEK));
}

ptrdiff_t Send(int socket, std::span<const uint8_t> bytes, Follows /*follows*/) {
  return Told(send(Handle(socket), reinterpret_cast<const char*>(bytes.data()), Length(bytes.size()), 0));
}

ptrdiff_t SendRuns(int socket, std::span<const iovec> runs, Follows /*follows*/) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): filled as far as it is used
  std::array<WSABUF, kMostRuns> buffers;
  size_t count = 0;
  for (const iovec& run : runs.first(std::min(runs.size(), kMostRuns))) {
    buffers[count++] = {static_cast<ULONG>(Length(run.iov_len)), static_cast<char*>(run.iov_base)};
    if (run.iov_len > INT_MAX) break;
  }
  DWORD sent = 0;
  const int result =
      WSASend(Handle(socket), buffers.data(), static_cast<DWORD>(count), &sent, 0, nullptr, nullptr);
  return Told(result) == 0 ? static_cast<ptrdiff_t>(sent) : -1;
}

void EndOutput(int socket) { shutdown(Handle(socket), SD_SEND); }

bool NothingNow() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int PollSockets(std::span<pollfd> sockets, int timeout_ms) {
  return Told(WSAPoll(sockets.data(), static_cast<ULONG>(sockets.size()), timeout_ms));
}

// WSAPoll knows sockets alone: two of UDP, each of which takes nothing but from the other.
Bell::Bell() {
  for (int& end : ends_) {
    end = Open(AF_INET, SOCK_DGRAM);
    SocketAddress own{};
    own.v4.sin_family = AF_INET;
    own.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (end < 0 || !BindSocket(end, own, sizeof(own.v4))) return;
  }
  for (size_t n = 0; n < ends_.size(); ++n) {
    SocketAddress other{};
    const socklen_t size = LocalAddressOf(ends_[1 - n], other);
    if (size == 0 || !ConnectSocket(ends_[n], other, size)) {
      CloseSocket(std::exchange(ends_[1], -1));
      return;
    }
  }
}

Bell::~Bell() {
  for (const int end : ends_) {
    if (end >= 0) CloseSocket(end);
  }
}

void Bell::Ring() const {
  constexpr std::array<uint8_t, 1> kOne{1};
  // Fails only when there is no room for more rings, which has rung as well.
  static_cast<void>(Send(ends_[1], kOne));
}

void Bell::Silence() const {
  std::array<uint8_t, 64> ring{};
  while (Receive(ends_[0], ring) > 0) continue;
}

int ErrnoOf(int system_error) {
  const auto* known = std::find_if(kErrors.begin(), kErrors.end(),
                                   [=](const ErrorPair& pair) { return pair.windows == system_error; });
  return known == kErrors.end() ? system_error : known->posix;
}

// The C library knows these numbers and has no words for them.
std::string TextOfErrno(int error_number) {
  const auto* known = std::find_if(kErrors.begin(), kErrors.end(),
                                   [=](const ErrorPair& pair) { return pair.posix == error_number; });
  if (known == kErrors.end()) return std::strerror(error_number);
  std::array<char, 256> text{};
  constexpr DWORD kFrom = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
  const auto error = static_cast<DWORD>(known->windows);
  // In English, or in the language that there is.
  DWORD size = 0;
  for (const DWORD language : {DWORD{MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US)}, DWORD{0}}) {
    size = FormatMessageA(kFrom, nullptr, error, language, text.data(), DWORD{text.size()}, nullptr);
    if (size != 0) break;
  }
  while (size > 0 && static_cast<unsigned char>(text[size - 1]) <= ' ') --size;
  return {text.data(), size};
}

}  // namespace ohws
