// Looks at what has come, and takes of it what belongs to the header. Engine thread.
#include "engine/proxy_prelude.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "engine/core.h"
#include "engine/server_listener.h"

namespace ohws {

ProxyPrelude::ProxyPrelude(Core& core, ServerListener& listener, int fd, std::string ip, uint64_t timeout_ms)
    : core_(core), listener_(listener), fd_(fd), ip_(std::move(ip)) {
  core_.loop().Watch(fd_, *this);
  core_.deadlines().Set(*this, NowMs() + timeout_ms);
}

void ProxyPrelude::OnDue(uint64_t /*now_ms*/) { listener_.OnPrelude(*this, End::kTimeout); }

ProxyPrelude::~ProxyPrelude() {
  if (fd_ >= 0) close(Release());
}

int ProxyPrelude::Release() {
  core_.loop().Unwatch(fd_);
  return std::exchange(fd_, -1);
}

void ProxyPrelude::OnSocketEvent(bool) {
  std::array<char, 512> bytes{};
  for (;;) {
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got <= 0) {
      listener_.OnPrelude(*this, End::kGone);
      return;
    }
    size_t used = 0;
    const ProxyHeader::Status status = header_.Feed({bytes.data(), static_cast<size_t>(got)}, used);
    // They are there: they were looked at.
    if (used > 0 && recv(fd_, bytes.data(), used, 0) != static_cast<ssize_t>(used)) {
      listener_.OnPrelude(*this, End::kGone);
      return;
    }
    if (status != ProxyHeader::Status::kMore) {
      const bool complete = status == ProxyHeader::Status::kComplete;
      listener_.OnPrelude(*this, complete ? End::kComplete : End::kMalformed);
      return;
    }
  }
}

}  // namespace ohws
