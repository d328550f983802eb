// Echo server with no JavaScript, no validation and no limits: what this machine and the load
// generator allow at the very most. It trusts its peer, which must be the load generator, and
// passes frames on while they arrive, unmasked. Talks to the benchmark as control.mjs does.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../load/handshake.h"
#include "protocol/frame.h"
#include "stats.h"

namespace ohws::bench {
namespace {

constexpr size_t kReceiveBytes = 256 * 1024;

void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int fd() const { return fd_; }
  bool has_unsent() const { return sent_ < out_.size(); }

  void Take(std::string_view bytes) {
    if (!open_) {
      request_.append(bytes);
      if (!request_.ends_with("\r\n\r\n")) return;
      out_ = UpgradeResponse(request_);
      open_ = true;
      return;
    }
    while (!bytes.empty()) {
      const size_t used = frame_left_ > 0 ? TakePayload(bytes) : TakeHeaderByte(bytes.front());
      bytes.remove_prefix(used);
    }
  }

  void Flush() {
    while (has_unsent()) {
      const ssize_t taken = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (taken <= 0) return;
      sent_ += static_cast<size_t>(taken);
    }
    out_.clear();
    sent_ = 0;
  }

 private:
  size_t TakeHeaderByte(char byte) {
    header_[header_have_++] = byte;
    if (header_have_ < 2) return 1;
    const size_t length = static_cast<uint8_t>(header_[1]) & 0x7f;
    const size_t plain_bytes = length == 127 ? 10 : length == 126 ? 4 : 2;
    if (header_have_ < plain_bytes + 4) return 1;
    frame_left_ = plain_bytes == 2 ? length : 0;
    for (size_t i = 2; i < plain_bytes; ++i) {
      frame_left_ = (frame_left_ << 8) | static_cast<uint8_t>(header_[i]);
    }
    std::memcpy(key_.data(), header_.data() + plain_bytes, key_.size());
    key_position_ = 0;
    header_[1] = static_cast<char>(length);
    out_.append(header_.data(), plain_bytes);
    header_have_ = 0;
    return 1;
  }

  size_t TakePayload(std::string_view bytes) {
    const size_t size = std::min<uint64_t>(frame_left_, bytes.size());
    const size_t begin = out_.size();
    out_.append(bytes.substr(0, size));
    auto* const out = reinterpret_cast<uint8_t*>(out_.data() + begin);
    MaskCopy(out, out, size, key_.data(), key_position_);
    key_position_ = (key_position_ + size) % 4;
    frame_left_ -= size;
    return size;
  }

  const int fd_;
  bool open_ = false;
  std::string request_;
  std::array<char, 14> header_{};
  size_t header_have_ = 0;
  uint64_t frame_left_ = 0;
  std::array<uint8_t, kMaskKeyBytes> key_{};
  size_t key_position_ = 0;
  std::string out_;
  size_t sent_ = 0;
};

class Server {
 public:
  Server() : epoll_fd_(epoll_create1(EPOLL_CLOEXEC)), receive_buffer_(kReceiveBytes) {
    Check(epoll_fd_ >= 0, "epoll_create1");
    listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    Check(bind(listen_fd_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    Check(listen(listen_fd_, 1024) == 0, "listen");
    Check(getsockname(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    Watch(EPOLL_CTL_ADD, listen_fd_, EPOLLIN, nullptr);
    Watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, this);
    std::printf("{\"port\":%u}\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  void Run() {
    std::array<epoll_event, 256> events{};
    for (;;) {
      const int count = epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.ptr == nullptr) {
          Accept();
        } else if (event.data.ptr == this) {
          if (!TakeCommands()) return;
        } else {
          Serve(static_cast<Peer*>(event.data.ptr), event.events);
        }
      }
    }
  }

 private:
  void Watch(int operation, int fd, uint32_t events, void* who) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = who;
    Check(epoll_ctl(epoll_fd_, operation, fd, &event) == 0, "epoll_ctl");
  }

  void Accept() {
    const int fd = accept4(listen_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    Check(fd >= 0, "accept4");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    Watch(EPOLL_CTL_ADD, fd, EPOLLIN, new Peer(fd));
  }

  // False at the end of stdin.
  static bool TakeCommands() {
    std::array<char, 256> text;
    const ssize_t size = read(STDIN_FILENO, text.data(), text.size());
    for (ssize_t i = 0; i < size; ++i) {
      if (text[static_cast<size_t>(i)] == '\n') PrintStats();  // there is but one command
    }
    return size > 0;
  }

  void Serve(Peer* peer, uint32_t events) {
    const bool had_unsent = peer->has_unsent();
    if ((events & ~uint32_t{EPOLLOUT}) != 0) {
      const ssize_t size = recv(peer->fd(), receive_buffer_.data(), receive_buffer_.size(), 0);
      if (size == 0 || (size < 0 && errno != EAGAIN)) {
        delete peer;
        return;
      }
      if (size > 0) peer->Take({receive_buffer_.data(), static_cast<size_t>(size)});
    }
    peer->Flush();
    if (peer->has_unsent() != had_unsent) {
      const uint32_t wanted = peer->has_unsent() ? EPOLLIN | EPOLLOUT : EPOLLIN;
      Watch(EPOLL_CTL_MOD, peer->fd(), wanted, peer);
    }
  }

  int epoll_fd_;
  int listen_fd_ = -1;
  std::vector<char> receive_buffer_;
};

}  // namespace
}  // namespace ohws::bench

int main() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  ohws::bench::Server server;
  server.Run();
  return 0;
}
