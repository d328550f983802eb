// lws's seam, and the turn of the loop.
#include "engine/loop.h"

#include <utility>

#include "engine/clock.h"
#include "engine/sockets.h"
#include "ohws_lws_patches.h"

namespace ohws {

namespace {

// So long may handshakes take of one turn, so that whoever shares the thread has a turn too. A TLS handshake
// takes some 0.4 ms (row tls-churn of the benchmark).
constexpr uint64_t kServeUs = 5000;

}  // namespace

// What lws calls.
struct Loop::Seam {
  static Loop* Of(lws* wsi) { return *static_cast<Loop**>(lws_evlib_wsi_to_evlib_pt(wsi)); }
  static int InitPt(lws_context* context, void* loop, int tsi) {
    *static_cast<Loop**>(lws_evlib_tsi_to_evlib_pt(context, tsi)) = static_cast<Loop*>(loop);
    return 0;
  }
  static int SocketAppears(lws* wsi) {
    // A descriptor that lws closed without a word may have left its traces under this number.
    Of(wsi)->Forget(SocketOf(wsi), false);
    return 0;
  }
  static void Io(lws* wsi, unsigned int flags) {
    const int fd = SocketOf(wsi);
    if (fd >= 0) Of(wsi)->Change(fd, flags);
  }
  static int LogicalClose(lws* wsi) {
    const int fd = SocketOf(wsi);
    if (fd >= 0) Of(wsi)->Forget(fd, true);
    return 0;
  }
  static const lws_event_loop_ops kOps;
  static const lws_plugin_evlib_t kLibrary;
};

const lws_event_loop_ops Loop::Seam::kOps = [] {
  lws_event_loop_ops ops{};
  ops.name = "ohws";
  ops.init_vhost_listen_wsi = SocketAppears;
  ops.init_pt = InitPt;
  ops.wsi_logical_close = LogicalClose;
  ops.sock_accept = SocketAppears;
  ops.io = Io;
  ops.evlib_size_pt = sizeof(Loop*);  // NOLINT(bugprone-sizeof-expression): a pointer is what it keeps
  return ops;
}();

const lws_plugin_evlib_t Loop::Seam::kLibrary = [] {
  lws_plugin_evlib_t library{};
  library.hdr.name = "ohws";
  library.hdr._class = "lws_evlib_plugin";
  library.hdr.lws_build_hash = LWS_BUILD_HASH;
  library.hdr.api_magic = LWS_PLUGIN_API_MAGIC;
  library.ops = &kOps;
  return library;
}();

void Loop::Prepare(lws_context_creation_info& info) {
  foreign_loops_[0] = this;
  info.event_lib_custom = &Seam::kLibrary;
  info.foreign_loops = foreign_loops_.data();
}

Loop::Watched& Loop::At(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= watched_.size()) watched_.resize(index + index / 2 + 64);
  return watched_[index];
}

void Loop::Change(int fd, unsigned int flags) {
  Watched& watched = At(fd);
  const bool start = (flags & LWS_EV_START) != 0;
  if ((flags & LWS_EV_READ) != 0) watched.wants_read = start;
  if ((flags & LWS_EV_WRITE) != 0) watched.wants_write = start;
  if (watched.handler != nullptr) return;
  poller_->Watch(fd, watched.generation, Poller::Mode::kLevel, watched.wants_read, watched.wants_write);
}

void Loop::Forget(int fd, bool closing) {
  poller_->Forget(fd, closing);
  const uint32_t generation = At(fd).generation + 1;
  At(fd) = Watched{};
  At(fd).generation = generation;
}

void Loop::Watch(int fd, SocketHandler& handler) {
  Forget(fd, false);
  Watched& watched = At(fd);
  watched.handler = &handler;
  poller_->Watch(fd, watched.generation, Poller::Mode::kLevel, true, false);
}

void Loop::Adopt(lws* wsi, SocketHandler& handler) {
  const int fd = SocketOf(wsi);
  adoptions_.push_back({wsi, fd, At(fd).generation, &handler});
}

void Loop::FinishAdoptions() {
  for (size_t i = 0; i < adoptions_.size(); ++i) {
    const Adoption adoption = adoptions_[i];
    if (At(adoption.fd).generation != adoption.generation) continue;
    // What lws has read behind the handshake comes first. It reads nothing itself now: it is told that it
    // does not want to.
    lws_pollfd pollfd{};
    pollfd.fd = static_cast<lws_sockfd_type>(adoption.fd);
    pollfd.revents = POLLIN;
    lws_service_fd_tsi(context_, &pollfd, 0);
    Watched& watched = At(adoption.fd);
    if (watched.generation != adoption.generation) continue;
#if OHWS_LWS_PATCH_FORGET_FRAMES
    lws_ws_forget_frames(adoption.wsi);
#endif
    watched.handler = adoption.handler;
    // OpenSSL may have to write before it reads on, without a word about it.
    const bool write = lws_is_ssl(adoption.wsi) != 0;
    poller_->Watch(adoption.fd, watched.generation, Poller::Mode::kEdge, true, write);
    adoption.handler->OnSocketEvent(false, false);
  }
  adoptions_.clear();
}

void Loop::Hold(int fd, SocketHandler& handler) {
  Watched& watched = At(fd);
  watched.handler = &handler;
  poller_->Watch(fd, watched.generation, Poller::Mode::kEdge, true, false);
}

void Loop::Return(int fd) {
  Watched& watched = At(fd);
  if (watched.handler == nullptr) return;
  watched.handler = nullptr;
  poller_->Watch(fd, watched.generation, Poller::Mode::kLevel, watched.wants_read, watched.wants_write);
}

void Loop::Serve(int fd, short revents) {
  const Watched& watched = At(fd);
  lws_pollfd pollfd{};
  pollfd.fd = static_cast<lws_sockfd_type>(fd);
  pollfd.events = static_cast<short>((watched.wants_read ? POLLIN : 0) | (watched.wants_write ? POLLOUT : 0));
  pollfd.revents = revents;
  lws_service_fd_tsi(context_, &pollfd, 0);
}

int Loop::ServeTimers() { return lws_service_adjust_timeout(context_, kNoLimitMs, 0); }

void Loop::WaitAndServe(int timeout_ms, const std::function<bool()>& may_sleep) {
  const int until_lws = ServeTimers();
  FinishAdoptions();
  if (timeout_ms < 0 || until_lws < timeout_ms) timeout_ms = until_lws;
  if (timeout_ms != 0 && !may_sleep()) timeout_ms = 0;
  const size_t count = poller_->Wait(events_, timeout_ms);
  uint64_t enough_us = 0;  // from the first of lws's events on
  bool enough = false;
  for (size_t i = 0; i < count; ++i) {
    const Poller::Event& event = events_[i];
    // An event of this batch may belong to a descriptor that an earlier one has closed.
    const Watched& watched = At(event.fd);
    if (watched.generation != event.generation) continue;
    if (watched.handler != nullptr) {
      watched.handler->OnSocketEvent(event.readable, event.ended);
    } else if (!enough) {
      if (enough_us == 0) enough_us = NowUs() + kServeUs;
      Serve(event.fd, static_cast<short>((event.readable ? POLLIN : 0) | (event.writable ? POLLOUT : 0) |
                                         (event.hung_up ? POLLHUP : 0)));
      if (!adoptions_.empty()) FinishAdoptions();
      // What is left of lws's comes again: its descriptors are kLevel.
      enough = NowUs() >= enough_us;
    }
  }
  // Input that lws holds back (after a handshake, or decrypted already) has no descriptor event of its own.
  if (until_lws == 0) {
    _lws_plat_service_forced_tsi(context_, 0);
    FinishAdoptions();
  }
}

}  // namespace ohws
