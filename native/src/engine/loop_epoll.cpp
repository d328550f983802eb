// Our own loop for Linux: epoll beneath lws's seam for foreign event loops. lws tells us which descriptors it
// wants watched for what (lws_event_loop_ops); we give events back with lws_service_fd_tsi(). A wish to write
// on an established connection costs no system call in the usual case: it is granted at the end of the turn,
// and only what the kernel would not take is then watched with EPOLLOUT.
#include "engine/loop.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

namespace ohws {

namespace {

class EpollLoop final : public Loop {
 public:
  EpollLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kWakeEvent;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  }
  ~EpollLoop() override {
    close(wake_);
    close(epoll_);
  }
  bool ok() const { return epoll_ >= 0 && wake_ >= 0; }

  void Prepare(lws_context_creation_info& info) override {
    foreign_loops_[0] = this;
    info.event_lib_custom = &kEventLibrary;
    info.foreign_loops = foreign_loops_.data();
  }
  void Attach(lws_context* context) override { context_ = context; }

  void WriteOptimistically(lws* wsi) override { At(lws_get_socket_fd(wsi)).optimistic = true; }

  void ServeWrites() override {
    for (size_t i = 0; i < writers_.size(); ++i) {
      const Writer writer = writers_[i];
      Watched& watched = At(writer.fd);
      if (watched.generation != writer.generation) continue;
      watched.listed = false;
      if (watched.wants_write) Serve(writer.fd, POLLOUT);
    }
    writers_.clear();
  }

  void WaitAndServe(int timeout_ms, const std::function<bool()>& may_sleep) override {
    constexpr int kNoLimit = 1'000'000;
    const int until_lws = lws_service_adjust_timeout(context_, kNoLimit, 0);
    if (timeout_ms < 0 || until_lws < timeout_ms) timeout_ms = until_lws;
    if (!writers_.empty() || !may_sleep()) timeout_ms = 0;
    const int count = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<size_t>(i)];
      if (event.data.u64 == kWakeEvent) {
        uint64_t rings = 0;
        if (read(wake_, &rings, sizeof(rings)) < 0) continue;
        continue;
      }
      const int fd = static_cast<int>(event.data.u64 & 0xffffffffU);
      // An event of this batch may belong to a descriptor that an earlier one has closed.
      if (At(fd).generation != static_cast<uint32_t>(event.data.u64 >> 32)) continue;
      Serve(fd, static_cast<short>(event.events));
    }
    // Input that lws holds back (after flow control, or decrypted already) has no descriptor event of its
    // own.
    if (until_lws == 0) _lws_plat_service_forced_tsi(context_, 0);
  }

  void Wake() override {
    const uint64_t one = 1;
    // Fails only when the counter is full, which wakes as well.
    if (write(wake_, &one, sizeof(one)) < 0) return;
  }

 private:
  // What lws wants of one descriptor, and what the kernel knows of it.
  struct Watched {
    uint32_t generation = 0;  // tells the owners of one descriptor number apart
    uint32_t in_kernel = 0;   // the events that epoll watches; 0: not in the set
    bool wants_read = false;
    bool wants_write = false;
    bool awaits_writable = false;  // EPOLLOUT is, or has to be, watched
    bool listed = false;           // is in writers_
    bool optimistic = false;
  };
  struct Writer {
    int fd;
    uint32_t generation;
  };
  static constexpr uint64_t kWakeEvent = ~uint64_t{0};

  Watched& At(int fd) {
    const auto index = static_cast<size_t>(fd);
    if (index >= watched_.size()) watched_.resize(index + index / 2 + 64);
    return watched_[index];
  }

  void Serve(int fd, short revents) {
    const Watched& watched = At(fd);
    lws_pollfd pollfd{};
    pollfd.fd = fd;
    pollfd.events =
        static_cast<short>((watched.wants_read ? POLLIN : 0) | (watched.wants_write ? POLLOUT : 0));
    pollfd.revents = revents;
    const uint32_t generation = watched.generation;
    if ((revents & POLLOUT) != 0) writing_fd_ = fd;
    lws_service_fd_tsi(context_, &pollfd, 0);
    writing_fd_ = -1;
    Watched& after = At(fd);
    if ((revents & POLLOUT) == 0 || after.generation != generation || !after.wants_write) return;
    // Not all went out: from here on the kernel says when to go on.
    after.awaits_writable = true;
    Update(fd);
  }

  void Update(int fd) {
    Watched& watched = At(fd);
    const uint32_t want = (watched.wants_read ? static_cast<uint32_t>(EPOLLIN) : 0U) |
                          (watched.awaits_writable ? static_cast<uint32_t>(EPOLLOUT) : 0U);
    if (want == watched.in_kernel) return;
    epoll_event event{};
    event.events = want;
    event.data.u64 = static_cast<uint64_t>(watched.generation) << 32 | static_cast<uint32_t>(fd);
    // Nothing wanted means out of the set: a descriptor in it always reports its errors, and a connection
    // that is not read from would keep the loop spinning on them.
    const int operation = want == 0 ? EPOLL_CTL_DEL : watched.in_kernel == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    epoll_ctl(epoll_, operation, fd, &event);
    watched.in_kernel = want;
  }

  void Forget(int fd) {
    Watched& watched = At(fd);
    if (watched.in_kernel != 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    const uint32_t generation = watched.generation + 1;
    watched = Watched{};
    watched.generation = generation;
  }

  void Change(int fd, unsigned int flags) {
    Watched& watched = At(fd);
    const bool start = (flags & LWS_EV_START) != 0;
    if ((flags & LWS_EV_READ) != 0) watched.wants_read = start;
    if ((flags & LWS_EV_WRITE) != 0) {
      watched.wants_write = start;
      if (!start) {
        watched.awaits_writable = false;
      } else if (!watched.optimistic) {
        watched.awaits_writable = true;
      } else if (!watched.listed && !watched.awaits_writable && fd != writing_fd_) {
        watched.listed = true;
        writers_.push_back({fd, watched.generation});
      }
    }
    Update(fd);
  }

  // lws's side of the seam.
  static EpollLoop* Of(lws* wsi) { return *static_cast<EpollLoop**>(lws_evlib_wsi_to_evlib_pt(wsi)); }
  static int InitPt(lws_context* context, void* loop, int tsi) {
    *static_cast<EpollLoop**>(lws_evlib_tsi_to_evlib_pt(context, tsi)) = static_cast<EpollLoop*>(loop);
    return 0;
  }
  static int SocketAppears(lws* wsi) {
    // A descriptor that lws closed without a word may have left its traces under this number.
    Of(wsi)->Forget(lws_get_socket_fd(wsi));
    return 0;
  }
  static void Io(lws* wsi, unsigned int flags) {
    const int fd = lws_get_socket_fd(wsi);
    if (fd >= 0) Of(wsi)->Change(fd, flags);
  }
  static int LogicalClose(lws* wsi) {
    const int fd = lws_get_socket_fd(wsi);
    if (fd >= 0) Of(wsi)->Forget(fd);
    return 0;
  }

  static const lws_event_loop_ops kOps;
  static const lws_plugin_evlib_t kEventLibrary;

  const int epoll_;
  const int wake_;
  lws_context* context_ = nullptr;
  std::array<void*, 1> foreign_loops_{};
  std::array<epoll_event, 256> events_{};
  std::vector<Watched> watched_;  // by descriptor
  std::vector<Writer> writers_;
  int writing_fd_ = -1;  // is being granted its wish to write right now
};

const lws_event_loop_ops EpollLoop::kOps = [] {
  lws_event_loop_ops ops{};
  ops.name = "ohws epoll";
  ops.init_vhost_listen_wsi = SocketAppears;
  ops.init_pt = InitPt;
  ops.wsi_logical_close = LogicalClose;
  ops.sock_accept = SocketAppears;
  ops.io = Io;
  ops.evlib_size_pt = sizeof(EpollLoop*);
  return ops;
}();

const lws_plugin_evlib_t EpollLoop::kEventLibrary = [] {
  lws_plugin_evlib_t library{};
  library.hdr.name = "ohws epoll";
  library.hdr._class = "lws_evlib_plugin";
  library.hdr.lws_build_hash = LWS_BUILD_HASH;
  library.hdr.api_magic = LWS_PLUGIN_API_MAGIC;
  library.ops = &kOps;
  return library;
}();

}  // namespace

std::unique_ptr<Loop> Loop::CreateEpoll() {
  auto loop = std::make_unique<EpollLoop>();
  if (!loop->ok()) return nullptr;
  return loop;
}

}  // namespace ohws

#else

namespace ohws {
std::unique_ptr<Loop> Loop::CreateEpoll() { return nullptr; }
}  // namespace ohws

#endif
