// Looks at what has come, and takes of it what belongs to the header. Engine thread.
#include "engine/proxy_prelude.h"

#include <array>
#include <utility>

#include "engine/core.h"
#include "engine/server_listener.h"
#include "engine/sockets.h"

namespace ohws {

ProxyPrelude::ProxyPrelude(Core& core, ServerListener& listener, int fd, Peer peer, uint64_t timeout_ms)
    : core_(core), listener_(listener), fd_(fd), peer_(std::move(peer)) {
  core_.loop().Watch(fd_, *this);
  core_.deadlines().Set(*this, NowMs() + timeout_ms);
}

void ProxyPrelude::OnDue(uint64_t /*now_ms*/) { listener_.OnPrelude(*this, End::kTimeout); }

ProxyPrelude::~ProxyPrelude() {
  if (fd_ >= 0) CloseSocket(Release());
}

int ProxyPrelude::Release() {
  core_.loop().Unwatch(fd_);
  return std::exchange(fd_, -1);
}

void ProxyPrelude::OnSocketEvent(bool /*readable*/, bool /*ended*/) {
  std::array<uint8_t, 512> bytes{};
  for (;;) {
    const ptrdiff_t got = Peek(fd_, bytes);
    if (got < 0 && NothingNow()) return;
    if (got <= 0) {
      listener_.OnPrelude(*this, End::kGone);
      return;
    }
    const std::string_view seen(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(got));
    size_t used = 0;
    const ProxyHeader::Status status = header_.Feed(seen, used);
    // They are there: they were looked at.
    if (used > 0 && Receive(fd_, std::span(bytes).first(used)) != static_cast<ptrdiff_t>(used)) {
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
