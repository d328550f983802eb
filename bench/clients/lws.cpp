// Client on libwebsockets alone, in the way of its own examples: its loop, its frames, its timers. What
// the library itself allows in C on this machine. Does what driver.mjs does, and talks to the benchmark
// as it does: messages go round between it and an echo server, each one that comes back is compared
// with what was sent, and lines on stdout tell when the measured time begins and ends, and the result.

#include <libwebsockets.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../load/options.h"

namespace {

using ohws::bench::Kind;
using ohws::bench::Options;

using Seconds = std::chrono::duration<double>;

// Different messages; which one it is follows from connection and sequence number.
constexpr size_t kVariants = 256;

// A whole message of the largest row in one callback.
constexpr size_t kReceiveBytes = 64 * 1024;

enum class Phase { kConnect, kWarmup, kMeasure, kDrain, kClose };

struct Connection {
  lws* wsi = nullptr;
  size_t due = 0;  // messages to send when the socket has room
  size_t sent = 0;
  size_t received = 0;
  size_t received_bytes = 0;  // of the message that is coming in
};

// What has happened by some moment.
struct Count {
  std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
  size_t verified = 0;
  rusage usage{};
};

[[noreturn]] void Fail(const std::string& message) {
  std::printf("{\"errors\":[\"%s\"]}\n", message.c_str());
  std::fflush(stdout);
  std::_Exit(1);
}

long long Microseconds(const timeval& end, const timeval& begin) {
  return (static_cast<long long>(end.tv_sec) - begin.tv_sec) * 1000000 + end.tv_usec - begin.tv_usec;
}

class Driver {
 public:
  explicit Driver(const Options& options) : options_(options), connections_(options.connections) {
    MakeMessages();
    out_.resize(LWS_PRE + options.size);
  }

  void Run(lws_context* context) {
    context_ = context;
    timer_.driver = watch_.driver = this;
    Connect();
    while (closed_ < connections_.size() && lws_service(context, 0) >= 0) {
    }
    PrintResult();
  }

  int OnEvent(Connection& connection, lws_callback_reasons reason, std::string_view bytes) {
    switch (reason) {
      case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        Fail("handshake: " + std::string(bytes));
      case LWS_CALLBACK_CLIENT_ESTABLISHED:
        OnOpen();
        return 0;
      case LWS_CALLBACK_CLIENT_RECEIVE:
        OnBytes(connection, bytes);
        return 0;
      case LWS_CALLBACK_CLIENT_WRITEABLE:
        return OnWriteable(connection);
      case LWS_CALLBACK_CLIENT_CLOSED:  // with what code the server answered ours, lws does not tell
        if (phase_ != Phase::kClose) Fail(Name(connection) + ": the TCP connection ended");
        ++closed_;
        return 0;
      default:
        return 0;
    }
  }

 private:
  struct Timer {
    lws_sorted_usec_list_t list{};  // the first member, so that its address is the timer's
    Driver* driver = nullptr;
  };

  void MakeMessages() {
    constexpr std::string_view kLetters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-";
    std::vector<unsigned char> random(options_.size);
    for (size_t index = 0; index < kVariants; ++index) {
      for (size_t at = 0; at < random.size();) {
        const ssize_t got = getrandom(random.data() + at, random.size() - at, 0);
        if (got <= 0) Fail("no random bytes from the operating system");
        at += static_cast<size_t>(got);
      }
      std::string message{kLetters[index / 16], kLetters[index % 16]};
      for (const unsigned char byte : random) message += kLetters[byte % kLetters.size()];
      messages_.push_back(message.substr(0, options_.size));
    }
  }

  const std::string& Message(const Connection& connection, size_t sequence) const {
    return messages_[(Index(connection) * 31 + sequence) % kVariants];
  }

  size_t Index(const Connection& connection) const {
    return static_cast<size_t>(&connection - connections_.data());
  }

  std::string Name(const Connection& connection) const {
    return "connection " + std::to_string(Index(connection));
  }

  void Connect() {
    Connection& connection = connections_[open_];
    lws_client_connect_info info{};
    info.context = context_;
    info.address = info.host = info.origin = "127.0.0.1";
    info.port = options_.port;
    info.path = "/";
    info.local_protocol_name = "bench";
    info.ietf_version_or_minus_one = -1;
    info.userdata = &connection;
    info.pwsi = &connection.wsi;
    if (lws_client_connect_via_info(&info) == nullptr) Fail(Name(connection) + ": no connection");
  }

  void OnOpen() {
    if (++open_ < connections_.size()) {
      Connect();
      return;
    }
    connect_seconds_ = Seconds(std::chrono::steady_clock::now() - started_).count();
    for (Connection& connection : connections_) Send(connection, options_.inflight);
    phase_ = Phase::kWarmup;
    Schedule(timer_, options_.warmup_seconds, [](Driver& driver) { driver.OnPhaseEnd(); });
    LookForHang();
  }

  static void Send(Connection& connection, size_t count) {
    connection.due += count;
    lws_callback_on_writable(connection.wsi);
  }

  void OnBytes(Connection& connection, std::string_view bytes) {
    const size_t sequence = connection.received;
    const std::string_view rest =
        std::string_view(Message(connection, sequence)).substr(connection.received_bytes);
    const bool is_last =
        lws_is_final_fragment(connection.wsi) != 0 && lws_remaining_packet_payload(connection.wsi) == 0;
    const bool is_right = sequence < connection.sent && rest.starts_with(bytes) &&
                          is_last == (bytes.size() == rest.size()) &&
                          (options_.kind == Kind::kBinary) == (lws_frame_is_binary(connection.wsi) != 0);
    if (!is_right) Fail(Name(connection) + ", message " + std::to_string(sequence) + ": wrong content");
    if (!is_last) {
      connection.received_bytes += bytes.size();
      return;
    }
    connection.received_bytes = 0;
    ++connection.received;
    ++verified_;
    if (phase_ < Phase::kDrain) {
      Send(connection, 1);
    } else {
      CloseIfHome();
    }
  }

  // lws_write() masks in place, so what it gets is a copy.
  int OnWriteable(Connection& connection) {
    if (phase_ == Phase::kClose) {
      lws_close_reason(connection.wsi, LWS_CLOSE_STATUS_NORMAL, nullptr, 0);
      return -1;
    }
    while (connection.due > 0) {
      const std::string& message = Message(connection, connection.sent);
      std::memcpy(out_.data() + LWS_PRE, message.data(), message.size());
      if (lws_write(connection.wsi, out_.data() + LWS_PRE, message.size(),
                    options_.kind == Kind::kBinary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0) {
        return -1;
      }
      ++connection.sent;
      --connection.due;
      if (connection.due > 0 && lws_send_pipe_choked(connection.wsi) != 0) {
        lws_callback_on_writable(connection.wsi);
        break;
      }
    }
    return 0;
  }

  void OnPhaseEnd() {
    if (phase_ == Phase::kWarmup) {
      begin_ = Now();
      phase_ = Phase::kMeasure;
      PrintPhase("measure");
      Schedule(timer_, options_.seconds, [](Driver& driver) { driver.OnPhaseEnd(); });
    } else {
      end_ = Now();
      phase_ = Phase::kDrain;
      PrintPhase("drain");
      CloseIfHome();
    }
  }

  void CloseIfHome() {
    for (const Connection& connection : connections_) {
      if (connection.due > 0 || connection.received < connection.sent) return;
    }
    phase_ = Phase::kClose;
    for (const Connection& connection : connections_) lws_callback_on_writable(connection.wsi);
  }

  // Fails when nothing has come back for so long.
  void LookForHang() {
    if (verified_ + closed_ == seen_) {
      for (const Connection& connection : connections_) {
        if (connection.received == connection.sent) continue;
        Fail("hang: " + Name(connection) + " waits for message " + std::to_string(connection.received));
      }
      Fail("hang: " + std::to_string(connections_.size() - closed_) + " connections without a close event");
    }
    seen_ = verified_ + closed_;
    Schedule(watch_, options_.stall_seconds, [](Driver& driver) { driver.LookForHang(); });
  }

  template <typename Action>
  void Schedule(Timer& timer, double seconds, Action /*called without state*/) {
    const auto call = [](lws_sorted_usec_list_t* list) { Action{}(*reinterpret_cast<Timer*>(list)->driver); };
    lws_sul_schedule(context_, 0, &timer.list, call, static_cast<lws_usec_t>(seconds * LWS_US_PER_SEC));
  }

  Count Now() const {
    Count count;
    count.verified = verified_;
    getrusage(RUSAGE_SELF, &count.usage);
    return count;
  }

  static void PrintPhase(const char* name) {
    std::printf("{\"phase\":\"%s\"}\n", name);
    std::fflush(stdout);
  }

  void PrintResult() const {
    const size_t count = end_.verified - begin_.verified;
    const double seconds = Seconds(end_.at - begin_.at).count();
    rusage last{};
    getrusage(RUSAGE_SELF, &last);
    std::printf("{\"count\":%zu,\"seconds\":%f,\"rate\":%f,\"verified\":%zu,\"connectSeconds\":%f,", count,
                seconds, static_cast<double>(count) / seconds, verified_, connect_seconds_);
    std::printf("\"cpuUserUs\":%lld,\"cpuSystemUs\":%lld,\"maxRssBytes\":%lld,\"errors\":[]}\n",
                Microseconds(end_.usage.ru_utime, begin_.usage.ru_utime),
                Microseconds(end_.usage.ru_stime, begin_.usage.ru_stime),
                static_cast<long long>(last.ru_maxrss) * 1024);
    std::fflush(stdout);
  }

  const Options options_;
  lws_context* context_ = nullptr;
  Timer timer_;
  Timer watch_;
  std::vector<std::string> messages_;
  std::vector<unsigned char> out_;
  std::vector<Connection> connections_;
  Phase phase_ = Phase::kConnect;
  size_t open_ = 0;
  size_t closed_ = 0;
  size_t verified_ = 0;
  size_t seen_ = SIZE_MAX;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  double connect_seconds_ = 0;
  Count begin_;
  Count end_;
};

int OnEvent(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  if (user == nullptr) return 0;  // not of a connection
  auto* driver = static_cast<Driver*>(lws_context_user(lws_get_context(wsi)));
  const std::string_view bytes(static_cast<const char*>(in), in == nullptr ? 0 : size);
  return driver->OnEvent(*static_cast<Connection*>(user), reason, bytes);
}

}  // namespace

int main(int count, char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  lws_set_log_level(LLL_ERR, nullptr);
  Options options;
  if (!ohws::bench::ParseOptions(count, arguments, options)) Fail("wrong options");
  Driver driver(options);

  lws_protocols protocols[] = {{"bench", OnEvent, 0, kReceiveBytes, 0, nullptr, 0}, LWS_PROTOCOL_LIST_TERM};
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.protocols = protocols;
  info.pt_serv_buf_size = 256 * 1024;
  info.user = &driver;
  lws_context* context = lws_create_context(&info);
  if (context == nullptr) Fail("no context");
  driver.Run(context);
  lws_context_destroy(context);
  return 0;
}
