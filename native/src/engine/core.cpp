#include "engine/core.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "engine/client_attempt.h"
#include "wire/mutex.h"
#include "wire/payload_pool.h"

namespace ohws {

namespace {

// Handshakes that may hold header memory of lws at once, clients' and netstack's; more wait for their turn
// (and time out). A documented listener needs it for a moment only (patch late-header-table).
constexpr unsigned int kHeaderPool = 1024;
// Room for one: the largest `headerBytes`, and what lws adds to each line. More than 16 bits it cannot have.
constexpr unsigned int kHeaderBytes = 65'528;
// Handshakes have deadlines of our own, in Handshakes and Connection; these of lws's only have to be longer
// than any.
constexpr unsigned int kTimeoutOfLwsSeconds = 3600;
// Where lws reads and builds handshakes: a client's request fits with all its headers (lws-defects D18).
constexpr unsigned int kServiceBytes = 128 * 1024;
// So much of what JavaScript has sent is handed out before it is written and its room given back.
constexpr uint32_t kFlushAfterBytes = 256 * 1024;
constexpr size_t kLeastFrameBytes = 2;
// A read may be nothing but empty messages: those that find no room do not keep newcomers out.
static_assert(Core::kReadBytes / kLeastFrameBytes <
              UpWriter::kMaxWaitingRecords + UpWriter::kRoomToRead / sizeof(RecordHeader));
// What is read in a turn, and how long that may take: what comes need not be worth much of JavaScript's time
// (pongs, empty fragments), so nothing else bounds it.
constexpr size_t kReadBytesOfTurn = size_t{16} * 1024 * 1024;
constexpr size_t kLeastReadBytes = 4096;
constexpr uint64_t kReadUsOfTurn = 5000;
constexpr size_t kReadsBetweenLooks = 4;
// What is inflated in a turn, or one step more: it may be a thousand times of what is read.
constexpr uint64_t kInflatedBytesOfTurn = uint64_t{4} * 1024 * 1024;
// So long a turn may see to those whose time is over: thousands may have come, and be ended, together.
constexpr uint64_t kDeadlineUsOfTurn = 5000;
// Memory of large payloads that nobody has wanted for so long is freed, or a little later.
constexpr uint64_t kTrimPayloadsMs = 500;

// Making and destroying a context touches process-wide state of lws and OpenSSL; environments in other
// threads may be doing the same.
Mutex& ContextMutex() {
  static Mutex mutex;
  return mutex;
}

std::string_view Text(const RecordHeader& header, const uint8_t* payload) {
  return {reinterpret_cast<const char*>(payload), header.size};
}

}  // namespace

Core::Core(RingMemory up, RingMemory down, PayloadTable& up_payloads, PayloadTable& down_payloads,
           std::function<void()> doorbell, std::unique_ptr<Poller> poller, bool lends)
    : ring_bytes_(up.capacity() + down.capacity() + 2 * kRingHeadBytes),
      down_(down),
      up_(up, up_payloads, [this] { RingDoorbell(); }),
      down_payloads_(down_payloads),
      doorbell_(std::move(doorbell)),
      loop_(std::move(poller)),
      receive_memory_(lends),
      mask_keys_(FillFromSystem),
      accepted_(1) {}

Core::~Core() {
  for (const auto& [id, listener] : listeners_) listener->CancelTimers();
  if (context_ != nullptr) {
    const MutexLock lock(ContextMutex());
    lws_context_destroy(context_);
  }
  PayloadPool::Process().Empty();
}

bool Core::Start() {
  lws_context_creation_info info{};
  info.port = CONTEXT_PORT_NO_LISTEN;
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                 LWS_SERVER_OPTION_JUST_USE_RAW_ORIGIN;
  info.gid = static_cast<gid_t>(-1);
  info.uid = static_cast<uid_t>(-1);
  info.pt_serv_buf_size = kServiceBytes;
  info.max_http_header_data2 = kHeaderBytes;
  info.max_http_header_pool2 = kHeaderPool;
  info.timeout_secs = kTimeoutOfLwsSeconds;
  info.user = this;
  info.log_cx = &log_context_;
  loop_.Prepare(info);
  const MutexLock lock(ContextMutex());
  lws_set_log_level(0, nullptr);
  context_ = lws_create_context(&info);
  if (context_ == nullptr) return false;
  loop_.Attach(context_);
  return true;
}

void Core::PayloadTrim::BeSet() {
  if (!set() && PayloadPool::Process().in_use()) deadlines_.Set(*this, NowMs() + kTrimPayloadsMs);
}

void Core::PayloadTrim::OnDue(uint64_t) { PayloadPool::Process().Trim(); }

void Core::Run(const std::atomic<bool>& stop) {
  while (!stop.load()) {
    Serve();
    Receive(DeadlineMs(), kNoBatch);
  }
}

void Core::Serve() {
  DrainDown();
  ServeDeadlines();
  while (!deferred_.empty()) {
    for (const auto& action : std::exchange(deferred_, {})) action();
  }
  if (up_.overflowing()) up_.Flush();
  FlushAll();
  DeleteBuriedConnections();
  DeleteBuriedListeners();
  payload_trim_.BeSet();
  up_.Publish();
}

// Whom that cuts lws ends right away, in the same time; who is left has one of the next turns.
void Core::ServeDeadlines() {
  if (!deadlines_.Next().has_value()) return;
  const uint64_t now_us = NowUs();
  if (*deadlines_.Next() > now_us / 1000) return;
  // Whom somebody has cut already is not there any more.
  loop_.ServeTimers();
  const uint64_t end_us = now_us + kDeadlineUsOfTurn;
  deadlines_.Serve(now_us / 1000, [this, end_us] {
    loop_.ServeTimers();
    return NowUs() >= end_us;
  });
}

bool Core::SendNow(uint32_t id, std::span<const uint8_t> message) {
  Connection* connection = Find(id);
  return connection != nullptr && connection->SendNow(Opcode::kBinary, message);
}

void Core::Receive(int timeout_ms, uint32_t batch) {
  loop_.WaitAndServe(timeout_ms, may_sleep_);
  Read(batch);
}

void Core::Read(uint32_t batch) {
  ++turns_;
  down_.Wake();
  turn_ms_ = 0;
  ReadAll(batch);
  up_.Publish();
}

bool Core::HasWork() {
  const bool has_work = !deferred_.empty() || !buried_.empty() || !buried_listeners_.empty() ||
                        !to_flush_.empty() || (!to_read_.empty() && up_.HasRoom()) || !up_.published() ||
                        !down_.TrySleep();
  if (!has_work) ++sleeps_;
  return has_work;
}

// Everybody who has something to read gets one buffer a turn, a smaller one the more there are, as long as
// the turn may take: who is left has the next one. While JavaScript has no room for more they wait, and so,
// behind them, do their peers.
void Core::ReadAll(uint32_t batch) {
  if (to_read_.empty()) return;
  const size_t share = std::clamp(kReadBytesOfTurn / to_read_.size(), kLeastReadBytes, kReadBytes);
  read_began_us_ = NowUs();
  const uint64_t end_us = read_began_us_ + kReadUsOfTurn;
  const uint64_t end_inflated = deflate_.inflated_bytes() + kInflatedBytesOfTurn;
  size_t kept = 0;
  size_t next = 0;
  for (; next < to_read_.size() && up_.HasRoom() && deflate_.inflated_bytes() < end_inflated; ++next) {
    if (batch != kNoBatch && up_.unread_bytes() >= batch) break;
    if (next % kReadsBetweenLooks == kReadsBetweenLooks - 1 && NowUs() >= end_us) break;
    const std::span<uint8_t> room = receive_memory_.Room(share);
    if (room.empty()) break;
    Connection* connection = to_read_[next];
    if (connection->Read(room)) to_read_[kept++] = connection;
  }
  to_read_.erase(to_read_.begin() + static_cast<ptrdiff_t>(kept),
                 to_read_.begin() + static_cast<ptrdiff_t>(next));
  // Those who had no turn come first in the next one.
  std::rotate(to_read_.begin(), to_read_.begin() + static_cast<ptrdiff_t>(kept), to_read_.end());
}

void Core::RingDoorbell() {
  ++doorbells_;
  doorbell_();
}

void Core::FlushAll() {
  topics_.HandOut();
  for (size_t i = 0; i < to_flush_.size(); ++i) to_flush_[i]->Flush();
  to_flush_.clear();
}

int Core::WaitMs() {
  const int until_lws = loop_.ServeTimers();
  // Those that lws has ended by now need no turn of their own.
  DeleteBuriedConnections();
  const int until_deadline = DeadlineMs();
  if (until_deadline >= 0) return std::min(until_deadline, until_lws);
  return until_lws == Loop::kNoLimitMs ? -1 : until_lws;
}

int Core::DeadlineMs() const {
  const auto next = deadlines_.Next();
  if (!next.has_value()) return -1;
  const uint64_t now = NowMs();
  if (*next <= now) return 0;
  return static_cast<int>(std::min<uint64_t>(*next - now, 60'000));
}

void Core::DeleteBuriedConnections() {
  if (buried_.empty()) return;
  const auto gone = [](const Connection* connection) {
    return connection->state() == Connection::State::kGone;
  };
  std::erase_if(to_read_, gone);
  std::erase_if(to_flush_, gone);
  for (const uint32_t id : std::exchange(buried_, {})) {
    if ((id & kJsOwnedId) != 0) {
      clients_.erase(id);
      continue;
    }
    Accepted& slot = accepted_[id];
    slot.connection.reset();
    if (slot.released) {
      slot.released = false;
      free_ids_.push_back(id);
    }
  }
}

void Core::DeleteBuriedListeners() {
  for (const uint32_t id : std::exchange(buried_listeners_, {})) listeners_.erase(id);
}

Connection* Core::Find(uint32_t id) {
  if ((id & kJsOwnedId) == 0) return id < accepted_.size() ? accepted_[id].connection.get() : nullptr;
  const auto found = clients_.find(id);
  return found == clients_.end() ? nullptr : found->second.get();
}

Connection* Core::Accept(lws* wsi, ServerListener& listener, std::string ip, CloseRules rules) {
  uint32_t id = static_cast<uint32_t>(accepted_.size());
  if (free_ids_.empty()) {
    accepted_.emplace_back();
  } else {
    id = free_ids_.back();
    free_ids_.pop_back();
  }
  accepted_[id].connection = std::make_unique<Connection>(*this, id, wsi, listener, std::move(ip), rules);
  return accepted_[id].connection.get();
}

void Core::DrainDown() {
  RecordHeader header{};
  uint8_t* payload = nullptr;
  bool more = true;
  while (more) {
    more = false;
    while (down_.Next(header, payload)) {
      Dispatch(header, payload);
      if (down_.unreleased() >= kFlushAfterBytes) {
        more = true;
        break;
      }
    }
    // What lies in the ring is written, or copied, before its room is given back.
    FlushAll();
    if (std::exchange(published_asked_, false)) up_.Post(UpKind::kPublished, 0);
    if (down_.Release()) RingDoorbell();
  }
}

void Core::Dispatch(const RecordHeader& header, uint8_t* payload) {
  const auto kind = static_cast<DownKind>(header.kind);
  switch (kind) {
    case DownKind::kText:
      if (header.arg != 0) {
        kept_text_.Clear();
        kept_text_.Add(Opcode::kText, {payload, header.size});
        SendKeptText(header.id);
        return;
      }
      [[fallthrough]];
    case DownKind::kBinary:
      if (Connection* connection = Find(header.id)) {
        topics_.HandOutBefore(*connection);
        connection->Send(kind == DownKind::kText ? Opcode::kText : Opcode::kBinary, payload, header.size);
      }
      return;
    case DownKind::kSameText:
      SendKeptText(header.id);
      return;
    case DownKind::kLargeText:
    case DownKind::kLargeBinary: {
      Payload large = down_payloads_.Take(header.arg);
      Connection* connection = Find(header.id);
      if (connection != nullptr && large.data != nullptr) {
        topics_.HandOutBefore(*connection);
        connection->SendLarge(kind == DownKind::kLargeText ? Opcode::kText : Opcode::kBinary,
                              std::move(large));
      }
      return;
    }
    case DownKind::kConnect:
      Connect(header.id, Text(header, payload));
      return;
    case DownKind::kListen:
      Listen(header.id, Text(header, payload));
      return;
    case DownKind::kStop:
      topics_.HandOut();
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->Stop(header.aux, Text(header, payload));
      }
      return;
    case DownKind::kReload:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->PrepareCertificates(Text(header, payload));
      }
      return;
    case DownKind::kReloadEnd:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->TakeCertificates(header.arg != 0);
      }
      return;
    case DownKind::kAccept:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) found->second->Accept();
      return;
    case DownKind::kDrain:
      topics_.HandOut();
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->Drain(header.arg, header.aux, Text(header, payload));
      }
      return;
    case DownKind::kClose:
      if (Connection* connection = Find(header.id)) {
        topics_.HandOutBefore(*connection);
        connection->Close(header.aux, static_cast<uint16_t>(header.arg), Text(header, payload));
      }
      return;
    case DownKind::kRelease:
      Release(header.id);
      return;
    case DownKind::kAbandon:
      if (Connection* connection = Find(header.id)) {
        topics_.HandOutBefore(*connection);
        connection->Abandon(header.aux, Text(header, payload));
      }
      return;
    case DownKind::kStatsRequest:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        // What was sent before the question counts as sent.
        FlushAll();
        found->second->AnswerStats();
      }
      return;
    case DownKind::kDrainRequest:
      if (Connection* connection = Find(header.id)) {
        topics_.HandOutBefore(*connection);
        connection->RequestDrained();
      }
      return;
    case DownKind::kSubscribe:
      if (Connection* connection = Find(header.id)) topics_.Subscribe(*connection, header.arg);
      return;
    case DownKind::kUnsubscribe:
      if (Connection* connection = Find(header.id)) topics_.Unsubscribe(*connection, header.arg);
      return;
    case DownKind::kPublishText:
    case DownKind::kPublishLargeText:
      Publish(header, Opcode::kText, payload);
      return;
    case DownKind::kPublishBinary:
    case DownKind::kPublishLargeBinary:
      Publish(header, Opcode::kBinary, payload);
      return;
    case DownKind::kPublishedRequest:
      published_asked_ = true;
      return;
    case DownKind::kPause:
      if (Connection* connection = Find(header.id)) connection->SetPaused(header.arg != 0);
      return;
    case DownKind::kPing:
      if (Connection* connection = Find(header.id)) connection->Ping(Text(header, payload));
      return;
    case DownKind::kTerminate:
      if (Connection* connection = Find(header.id)) connection->Terminate(header.aux, Text(header, payload));
      return;
    case DownKind::kUpgradeAnswer:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->AnswerUpgrade(header.arg, header.aux, Text(header, payload));
      }
      return;
    case DownKind::kWatch:
      if (const auto found = listeners_.find(header.id); found != listeners_.end()) {
        found->second->Watch(header.arg);
      }
      return;
  }
}

void Core::SendKeptText(uint32_t id) {
  if (Connection* connection = Find(id)) {
    topics_.HandOutBefore(*connection);
    connection->SendShared(kept_text_);
  }
}

void Core::AddStats(StringListWriter& stats) const {
  const auto add = [&stats](std::string_view name, uint64_t value) {
    stats.Add(name).Add(std::to_string(value));
  };
  add("thread.turns", turns_);
  add("thread.sleeps", sleeps_);
  add("thread.doorbells", doorbells_);
  add("thread.now", NowUs());
  add("received.queuedBytes", up_.waiting_bytes());
  add("memory.rings", ring_bytes_);
  add("memory.sendBlocks", tx_pool_.pooled_bytes());
  add("memory.readBuffer", receive_memory_.held_bytes());
  add("memory.payloads", PayloadPool::Process().bytes());
  add("memory.compression", DeflateBudget::Process().used());
}

void Core::Publish(const RecordHeader& header, Opcode opcode, const uint8_t* payload) {
  const auto kind = static_cast<DownKind>(header.kind);
  if (kind == DownKind::kPublishText || kind == DownKind::kPublishBinary) {
    topics_.Publish(header.id, header.arg, opcode, {payload, header.size});
    return;
  }
  const Payload large = down_payloads_.Take(header.arg);
  uint32_t except = 0;
  if (large.data == nullptr || header.size != sizeof(except)) return;
  std::memcpy(&except, payload, sizeof(except));
  topics_.Publish(header.id, except, opcode, {large.data.get(), large.size});
}

void Core::Connect(uint32_t id, std::string_view config) {
  auto attempt = std::make_unique<ClientAttempt>(*this, ClientConfig::Decode(config));
  ClientAttempt& started = *attempt;
  const CloseRules rules = started.config().netstack ? CloseRules::kNetstack : CloseRules::kDocumented;
  auto& slot = clients_[id];
  slot = std::make_unique<Connection>(*this, id, std::move(attempt), rules);
  if (!started.Start(*slot)) clients_.erase(id);
}

void Core::Listen(uint32_t id, std::string_view config) {
  auto& slot = listeners_[id];
  slot = std::make_unique<ServerListener>(*this, id, ServerConfig::Decode(config));
  if (!slot->Start()) listeners_.erase(id);
}

void Core::Release(uint32_t id) {
  if (Connection* connection = Find(id)) {
    topics_.Leave(*connection);
    connection->OnReleased();
  }
  if ((id & kJsOwnedId) != 0 || id >= accepted_.size()) return;
  if (accepted_[id].connection == nullptr) {
    free_ids_.push_back(id);
  } else {
    accepted_[id].released = true;
  }
}

}  // namespace ohws
