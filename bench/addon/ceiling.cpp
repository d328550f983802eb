// The least that a client and a server in a Node.js addon can do, for clients/ceiling.mjs and
// servers/ceiling-addon.mjs: what the kernel, V8 and the benchmark's own work leave to anybody. One read
// takes what has come on a connection, each message becomes a copy in an ArrayBuffer and a task of
// JavaScript's, and what that sends is copied, and leaves in one write; masks are applied in the copies. No
// queue between, no limits, no checks, no handshake to speak of, no promises as the API has them: it trusts
// its peer, which must be of the benchmark, and sends it keys that anybody can foresee. All on JavaScript's
// thread.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../load/handshake.h"
#include "protocol/frame.h"

// What it uses of libuv, whose headers Node.js has but a distribution may not.
extern "C" {
size_t uv_handle_size(int type);
int uv_poll_init(uv_loop_s* loop, void* handle, int descriptor);
int uv_poll_start(void* handle, int events, void (*callback)(void* handle, int status, int events));
}

namespace {

constexpr int kPollHandle = 8;     // UV_POLL
constexpr int kReadableEvent = 1;  // UV_READABLE
constexpr size_t kReadBytes = 257 * 1024;
constexpr size_t kMostHeadBytes = 14;
constexpr size_t kMostFrameBytes = 1024 * 1024 + kMostHeadBytes;
constexpr uint8_t kText = 1;
constexpr uint8_t kBinary = 2;
constexpr uint8_t kClose = 8;

void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

// Bytes that are written over before they are read.
class Bytes {
 public:
  uint8_t* Extend(size_t size) {
    if (room_ < size_ + size) {
      room_ = 2 * (size_ + size);
      auto grown = std::make_unique_for_overwrite<uint8_t[]>(room_);
      if (size_ > 0) std::memcpy(grown.get(), bytes_.get(), size_);
      bytes_ = std::move(grown);
    }
    return bytes_.get() + std::exchange(size_, size_ + size);
  }
  const uint8_t* data() const { return bytes_.get(); }
  size_t size() const { return size_; }
  void Clear() { size_ = 0; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_ = 0;
  size_t room_ = 0;
};

enum class Role : uint8_t { kClient, kServer };

struct Connection {
  uint32_t index = 0;
  int fd = -1;
  Bytes partial;  // a frame that has not come whole
  Bytes out;
  size_t sent = 0;
  bool waits = false;  // for the socket to take more
};

class Endpoint {
 public:
  Endpoint(napi_env env, Role role, napi_value on_message)
      : env_(env),
        role_(role),
        input_(std::make_unique_for_overwrite<uint8_t[]>(kReadBytes + kMostFrameBytes)) {
    napi_create_reference(env, on_message, 1, &on_message_);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Check(epoll_ >= 0, "epoll_create1");
    uv_loop_s* loop = nullptr;
    napi_get_uv_event_loop(env, &loop);
    void* handle = std::calloc(1, uv_handle_size(kPollHandle));  // as long as the process
    uv_poll_init(loop, handle, epoll_);
    uv_poll_start(handle, kReadableEvent, [](void*, int, int) { instance->Turn(); });
  }

  uint32_t Connect(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(port);
    Check(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
    Write(fd, ohws::bench::UpgradeRequest(port, "/", ohws::bench::MakeKey()));
    Check(ReadHead(fd).starts_with("HTTP/1.1 101 "), "no upgrade");
    return Adopt(fd);
  }

  uint16_t Listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    Check(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    Check(listen(listener_, 1024) == 0, "listen");
    Check(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
    Watch(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
    return ntohs(address.sin_port);
  }

  void Send(uint32_t index, uint8_t opcode, const uint8_t* data, size_t size) {
    Connection& connection = *connections_[index];
    std::array<uint8_t, kMostHeadBytes> head{static_cast<uint8_t>(0x80 | opcode)};
    size_t head_bytes = 2;
    const size_t length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    const int mask_bit = role_ == Role::kClient ? 0x80 : 0;
    head[1] = static_cast<uint8_t>(mask_bit | (length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127));
    for (size_t i = 0; i < length_bytes; ++i) {
      head[head_bytes++] = static_cast<uint8_t>(size >> (8 * (length_bytes - 1 - i)));
    }
    uint8_t* key = nullptr;
    if (role_ == Role::kClient) {
      key_ = key_ * 6364136223846793005U + 1442695040888963407U;
      key = head.data() + head_bytes;
      std::memcpy(key, &key_, ohws::kMaskKeyBytes);
      head_bytes += ohws::kMaskKeyBytes;
    }
    uint8_t* to = connection.out.Extend(head_bytes + size);
    std::memcpy(to, head.data(), head_bytes);
    Copy(to + head_bytes, data, size, key);
    if (&connection != served_) Flush(connection);
  }

  static Endpoint* instance;

 private:
  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  static void Write(int fd, std::string_view text) {
    Check(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
  }

  static std::string ReadHead(int fd) {
    std::string head;
    for (char byte = 0; !head.ends_with("\r\n\r\n"); head += byte) {
      Check(recv(fd, &byte, 1, 0) == 1, "recv");
    }
    return head;
  }

  // `key`: null for none.
  static void Copy(void* to, const uint8_t* from, size_t size, const uint8_t* key) {
    if (key == nullptr) {
      std::memcpy(to, from, size);
    } else {
      ohws::MaskCopy(static_cast<uint8_t*>(to), from, size, key, 0);
    }
  }

  void Watch(int operation, int fd, uint32_t events, Connection* connection) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    Check(epoll_ctl(epoll_, operation, fd, &event) == 0, "epoll_ctl");
  }

  void Accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    Check(fd >= 0, "accept4");
    Write(fd, ohws::bench::UpgradeResponse(ReadHead(fd)));
    Adopt(fd);
  }

  uint32_t Adopt(int fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    connections_.push_back(std::make_unique<Connection>());
    Connection& connection = *connections_.back();
    connection.index = static_cast<uint32_t>(connections_.size() - 1);
    connection.fd = fd;
    Watch(EPOLL_CTL_ADD, fd, EPOLLIN, &connection);
    return connection.index;
  }

  void Turn() {
    napi_handle_scope handles = nullptr;
    napi_open_handle_scope(env_, &handles);
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      served_ = static_cast<Connection*>(event.data.ptr);
      if (served_ == nullptr) {
        Accept();
        continue;
      }
      if ((event.events & ~uint32_t{EPOLLOUT}) != 0) Read(*served_);
      Flush(*served_);
    }
    served_ = nullptr;
    napi_close_handle_scope(env_, handles);
  }

  void Read(Connection& connection) {
    const size_t had = connection.partial.size();
    if (had > 0) std::memcpy(input_.get(), connection.partial.data(), had);
    const ssize_t got = recv(connection.fd, input_.get() + had, kReadBytes, 0);
    if (got < 0) return;
    if (got == 0) {
      constexpr std::array<uint8_t, 2> kNone = {0x03, 0xee};
      End(connection, kNone.data());
      return;
    }
    const size_t size = had + static_cast<size_t>(got);
    const size_t used = TakeFrames(connection, input_.get(), size);
    connection.partial.Clear();
    Check(size - used <= kMostFrameBytes, "frame");
    if (used < size) std::memcpy(connection.partial.Extend(size - used), input_.get() + used, size - used);
  }

  size_t TakeFrames(Connection& connection, const uint8_t* bytes, size_t size) {
    size_t at = 0;
    while (size - at >= 2) {
      const uint8_t* frame = bytes + at;
      const size_t short_length = frame[1] & 0x7f;
      const size_t length_bytes = short_length < 126 ? 0 : short_length == 126 ? 2 : 8;
      const size_t plain_bytes = 2 + length_bytes;
      const size_t head_bytes = plain_bytes + (role_ == Role::kServer ? ohws::kMaskKeyBytes : 0);
      if (size - at < head_bytes) break;
      uint64_t length = length_bytes == 0 ? short_length : 0;
      for (size_t i = 2; i < plain_bytes; ++i) length = length << 8 | frame[i];
      if (size - at - head_bytes < length) break;
      const int opcode = frame[0] & 0x0f;
      if (opcode == kClose) {
        Check(length >= 2, "close frame");
        End(connection, frame + head_bytes);
        return size;
      }
      const uint8_t* key = role_ == Role::kServer ? frame + plain_bytes : nullptr;
      CallBack(connection.index, opcode, frame + head_bytes, length, key);
      at += head_bytes + length;
    }
    return at;
  }

  void End(Connection& connection, const uint8_t* code) {
    if (role_ == Role::kServer) {
      // Behind the answers to what came with it. Who does not read them is not of the benchmark.
      constexpr std::array<uint8_t, 2> kNormal = {0x03, 0xe8};
      Send(connection.index, kClose, kNormal.data(), kNormal.size());
      Flush(connection);
    }
    Check(epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd, nullptr) == 0, "epoll_ctl");
    if (role_ == Role::kClient) {
      CallBack(connection.index, kClose, code, 2, nullptr);
    } else {
      close(connection.fd);
      connection.out.Clear();
      connection.sent = 0;
      connection.waits = false;
    }
  }

  // A message, or the code of a close frame (1006: there was none).
  void CallBack(uint32_t index, int opcode, const uint8_t* data, size_t size, const uint8_t* key) {
    napi_handle_scope handles = nullptr;
    napi_open_handle_scope(env_, &handles);
    std::array<napi_value, 2> args{};
    napi_create_uint32(env_, index, args.data());
    if (opcode == kBinary) {
      void* copy = nullptr;
      napi_create_arraybuffer(env_, size, &copy, &args[1]);
      Copy(copy, data, size, key);
    } else if (opcode == kText) {
      if (key != nullptr) {
        Copy(text_.data(), data, size, key);
        data = text_.data();
      }
      napi_create_string_utf8(env_, reinterpret_cast<const char*>(data), size, &args[1]);
    } else {
      napi_create_uint32(env_, static_cast<uint32_t>(data[0] << 8 | data[1]), &args[1]);
    }
    napi_value global = nullptr;
    napi_value function = nullptr;
    napi_get_global(env_, &global);
    napi_get_reference_value(env_, on_message_, &function);
    napi_make_callback(env_, nullptr, global, function, args.size(), args.data(), nullptr);
    napi_close_handle_scope(env_, handles);
  }

  void Flush(Connection& connection) {
    Bytes& out = connection.out;
    while (connection.sent < out.size()) {
      const ssize_t sent =
          send(connection.fd, out.data() + connection.sent, out.size() - connection.sent, MSG_NOSIGNAL);
      if (sent <= 0) break;
      connection.sent += static_cast<size_t>(sent);
    }
    const bool waits = connection.sent < out.size();
    if (!waits) {
      out.Clear();
      connection.sent = 0;
    }
    if (std::exchange(connection.waits, waits) != waits) {
      Watch(EPOLL_CTL_MOD, connection.fd, waits ? EPOLLIN | EPOLLOUT : EPOLLIN, &connection);
    }
  }

  const napi_env env_;
  const Role role_;
  napi_ref on_message_ = nullptr;
  int epoll_ = -1;
  int listener_ = -1;
  uint64_t key_ = 1;
  std::vector<std::unique_ptr<Connection>> connections_;
  Connection* served_ = nullptr;
  std::unique_ptr<uint8_t[]> input_;
  std::array<uint8_t, kMostFrameBytes> text_{};
};

Endpoint* Endpoint::instance = nullptr;

template <size_t n>
std::array<napi_value, n> Arguments(napi_env env, napi_callback_info info) {
  std::array<napi_value, n> args{};
  size_t count = n;
  napi_get_cb_info(env, info, &count, args.data(), nullptr, nullptr);
  return args;
}

uint32_t Number(napi_env env, napi_value value) {
  uint32_t number = 0;
  Check(napi_get_value_uint32(env, value, &number) == napi_ok, "number");
  return number;
}

// start(isServer, onMessage: (index, data: string | ArrayBuffer | number) => void): a number is the code of a
// close, which only a client is told of.
napi_value Start(napi_env env, napi_callback_info info) {
  const auto [is_server, on_message] = Arguments<2>(env, info);
  bool server = false;
  Check(napi_get_value_bool(env, is_server, &server) == napi_ok, "isServer");
  Endpoint::instance = new Endpoint(env, server ? Role::kServer : Role::kClient, on_message);
  return nullptr;
}

// listen(): port
napi_value Listen(napi_env env, napi_callback_info /*info*/) {
  napi_value port = nullptr;
  napi_create_uint32(env, Endpoint::instance->Listen(), &port);
  return port;
}

// connect(port): index
napi_value Connect(napi_env env, napi_callback_info info) {
  const auto port = static_cast<uint16_t>(Number(env, Arguments<1>(env, info)[0]));
  napi_value index = nullptr;
  napi_create_uint32(env, Endpoint::instance->Connect(port), &index);
  return index;
}

// send(index, data: string | ArrayBuffer)
napi_value Send(napi_env env, napi_callback_info info) {
  const auto [index, data] = Arguments<2>(env, info);
  static std::array<char, kMostFrameBytes> text;
  void* bytes = text.data();
  size_t size = 0;
  const bool is_text = napi_get_value_string_utf8(env, data, text.data(), text.size(), &size) == napi_ok;
  Check(is_text || napi_get_arraybuffer_info(env, data, &bytes, &size) == napi_ok, "data");
  Endpoint::instance->Send(Number(env, index), is_text ? kText : kBinary, static_cast<uint8_t*>(bytes), size);
  return nullptr;
}

// close(index), with 1000
napi_value Close(napi_env env, napi_callback_info info) {
  constexpr std::array<uint8_t, 2> kCode = {0x03, 0xe8};
  Endpoint::instance->Send(Number(env, Arguments<1>(env, info)[0]), kClose, kCode.data(), kCode.size());
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  for (const auto& [name, callback] : std::initializer_list<std::pair<const char*, napi_callback>>{
           {"start", Start}, {"listen", Listen}, {"connect", Connect}, {"send", Send}, {"close", Close}}) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
