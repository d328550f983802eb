// What everything on one engine thread shares, and its turn: the lws context and its loop, the rings' engine
// ends, the connections and listeners by id, the deadlines. It reads JavaScript's commands and hands them
// out; it decides nothing about the protocol. Engine thread, except for the constructor's arguments.
#pragma once

#include <libwebsockets.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/clock.h"
#include "engine/connection.h"
#include "engine/handshakes.h"
#include "engine/loop.h"
#include "engine/server_counters.h"
#include "engine/server_listener.h"
#include "engine/tls.h"
#include "engine/tls_socket.h"
#include "engine/topics.h"
#include "engine/tx_queue.h"
#include "engine/up_writer.h"
#include "protocol/deflate_codec.h"
#include "protocol/frame.h"
#include "protocol/timing_wheel.h"
#include "wire/payload_table.h"
#include "wire/receive_memory.h"
#include "wire/ring.h"

namespace ohws {

class Core {
 public:
  // What one read of a socket may bring at most.
  static constexpr size_t kReadBytes = ReceiveMemory::kMostReadBytes;

  // `lends`: JavaScript takes memory that is not its own.
  Core(RingMemory up, RingMemory down, PayloadTable& up_payloads, PayloadTable& down_payloads,
       std::function<void()> doorbell, std::unique_ptr<Poller> poller, bool lends);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  // Makes the lws context. False if it cannot be had.
  bool Start();
  // A turn is both of these, in any order. What JavaScript has sent is handed out, what is due is done:
  void Serve();
  // then at most so long (-1: for ever) is waited for something to happen, and it is served. What has come is
  // read, until JavaScript has so many bytes of the ring to give back, there is no more room, or others have
  // their turn.
  static constexpr uint32_t kNoBatch = UINT32_MAX;
  void Receive(int timeout_ms, uint32_t batch);
  // Goes on reading, if something was left.
  void Read(uint32_t batch);
  bool has_unread() const { return !to_read_.empty(); }
  // When somebody was read from last.
  uint64_t read_began_us() const { return read_began_us_; }
  // Behind Serve(): a binary message from where it lies, as Connection::SendNow() does it.
  bool SendNow(uint32_t id, std::span<const uint8_t> message);
  // Whether there is something to do now. If not, JavaScript's next word rings.
  bool HasWork();
  // When there is, if nothing happens before, in milliseconds: with lws's timers, serving those that are due;
  // or without them (-1: never).
  int WaitMs();
  int DeadlineMs() const;
  // Turns until `stop` is set.
  void Run(const std::atomic<bool>& stop);

  lws_context* context() const { return context_; }
  Loop& loop() { return loop_; }
  UpWriter& up() { return up_; }
  TimingWheel& deadlines() { return deadlines_; }
  Handshakes& handshakes() { return handshakes_; }
  TxPool& tx_pool() { return tx_pool_; }
  ReceiveMemory& receive_memory() { return receive_memory_; }
  TlsBatch& tls_batch() { return tls_batch_; }
  MaskKeySource& mask_keys() { return mask_keys_; }
  ClientTls& client_tls() { return client_tls_; }
  DeflateWorkspace& deflate() { return deflate_; }
  // Where clients count; nobody asks for it.
  Traffic& client_traffic() { return client_traffic_; }
  // Adds what is the whole thread's to the snapshot of a server.
  void AddStats(StringListWriter& stats) const;
  Topics& topics() { return topics_; }

  // A new accepted connection; it gets an id of its own.
  Connection* Accept(lws* wsi, ServerListener& listener, std::string ip, CloseRules rules);
  // This connection has something to read, or to write: it is looked at in this turn. Once each.
  void ReadSoon(Connection& connection) { to_read_.push_back(&connection); }
  void FlushSoon(Connection& connection) { to_flush_.push_back(&connection); }
  // This connection has no wsi any more; it is deleted after this turn.
  void Bury(Connection& connection) { buried_.push_back(connection.id()); }
  // This listener is gone; it is deleted after this turn.
  void Bury(const ServerListener& listener) { buried_listeners_.push_back(listener.id()); }
  // A moment of this turn, for what need not know better.
  uint64_t TurnMs() {
    if (turn_ms_ == 0) turn_ms_ = NowMs();
    return turn_ms_;
  }
  // Runs after this turn, outside of any callback of lws.
  void Defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }
  Connection* Find(uint32_t id);

 private:
  // An id of the engine's is free again when its connection is gone and JavaScript has released it.
  struct Accepted {
    std::unique_ptr<Connection> connection;
    bool released = false;
  };

  // While it keeps memory.
  class PayloadTrim final : public Timer {
   public:
    explicit PayloadTrim(TimingWheel& deadlines) : deadlines_(deadlines) {}
    void BeSet();
    void OnDue(uint64_t now_ms) override;

   private:
    TimingWheel& deadlines_;
  };

  void DrainDown();
  void ServeDeadlines();
  void Publish(const RecordHeader& header, Opcode opcode, const uint8_t* payload);
  void Dispatch(const RecordHeader& header, uint8_t* payload);
  void SendKeptText(uint32_t id);
  void FlushAll();
  void ReadAll(uint32_t batch);
  void RingDoorbell();
  void Connect(uint32_t id, std::string_view config);
  void Listen(uint32_t id, std::string_view config);
  void Release(uint32_t id);
  void DeleteBuriedConnections();
  void DeleteBuriedListeners();

  const size_t ring_bytes_;
  RingConsumer down_;
  UpWriter up_;
  PayloadTable& down_payloads_;
  const std::function<void()> doorbell_;
  Loop loop_;
  // lws counts the users of a log context without a lock: each context gets one of its own.
  lws_log_cx_t log_context_{};
  lws_context* context_ = nullptr;

  TxPool tx_pool_;
  TlsBatch tls_batch_;
  ReceiveMemory receive_memory_;
  MaskKeySource mask_keys_;
  ClientTls client_tls_;
  DeflateWorkspace deflate_{DeflateBudget::Process()};
  Topics topics_;
  SharedMessages kept_text_;      // for kSameText
  bool published_asked_ = false;  // kPublished is due
  TimingWheel deadlines_{NowMs()};
  Handshakes handshakes_{deadlines_};
  PayloadTrim payload_trim_{deadlines_};
  std::vector<Accepted> accepted_;  // by id; slot 0 is not used
  std::vector<uint32_t> free_ids_;
  std::unordered_map<uint32_t, std::unique_ptr<Connection>> clients_;
  std::unordered_map<uint32_t, std::unique_ptr<ServerListener>> listeners_;
  std::vector<Connection*> to_read_;
  std::vector<Connection*> to_flush_;
  std::vector<uint32_t> buried_;
  std::vector<uint32_t> buried_listeners_;
  std::vector<std::function<void()>> deferred_;
  Traffic client_traffic_;
  const std::function<bool()> may_sleep_ = [this] { return !HasWork(); };
  uint64_t turns_ = 0;
  uint64_t sleeps_ = 0;
  uint64_t read_began_us_ = 0;
  uint64_t turn_ms_ = 0;  // 0: nobody has asked
  uint64_t doorbells_ = 0;
};

}  // namespace ohws
