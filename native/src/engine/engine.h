// What the addon sees of the engine: somebody who serves two rings. Its turns are taken by a thread of its
// own, or by JavaScript's thread, which saves both the way from one to the other; then a stand-in thread
// takes them while JavaScript is busy with something else, so that pings are answered and deadlines kept. All
// calls come from JavaScript's thread. What this layer calls the engine thread is whichever takes the turn.
//
// Invariants of turns on JavaScript's thread:
//  1. Whoever takes a turn holds `turns_`, a thread of its own for ever. JavaScript never waits for it, but
//  asks the stand-in for it.
//  2. The stand-in takes over only when something has been waiting for kPatience and JavaScript has taken no
//     turn meanwhile, from its loop: who only sends, in a chain of promises, does not come to read. While
//     nothing happens it sleeps.
//  3. Whenever a turn ends and something is left to do, now or at a known time, the descriptor is, or will
//     be, readable.
//  4. In JavaScript's turns a doorbell is a return value; it is never lost to the stand-in.
//  5. What has come is read before a deadline is served: a pong that lies in the socket has come in time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "engine/system.h"
#include "wire/mutex.h"
#include "wire/payload_table.h"
#include "wire/ring.h"

namespace ohws {

class Core;

class Engine {
 public:
  // Who takes its turns.
  enum class Host : uint8_t { kOwnThread, kJavaScript };

  // The rings' memory outlives the engine. `doorbell` is called on one of the engine's threads and must not
  // block; it wakes JavaScript to look at the up ring. `lends`: JavaScript takes memory that is not its own,
  // so that messages may be lent to it where they lie.
  Engine(RingMemory up, RingMemory down, std::function<void()> doorbell, bool lends);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  // Starts its thread. False if the system has no thread or no event loop for us.
  bool Start(Host host);
  // What JavaScript's loop has to watch, if that is the host: it is readable when a turn is due. -1: the
  // engine has a thread of its own, as asked for, or since this system has no such descriptor.
  int descriptor() const { return descriptor_; }
  // The turn that is due. True: JavaScript has to look at the up ring.
  bool TakeTurn();
  // It, or ReadOn() after it, has left something unread: too much for a batch, or for the ring.
  bool has_unread() const { return has_unread_; }
  // When JavaScript has looked, the turn goes on with that, for some time, without asking the system what
  // else has come. True: JavaScript has to look again.
  bool ReadOn();
  // Makes the engine look at the down ring: at once, if JavaScript's thread takes its turns.
  void Wake();
  // Looks at the down ring and sends a binary message behind it, from where it lies; what the socket does not
  // take is copied. False if that cannot be done now: it has to be copied first.
  bool SendNow(uint32_t id, std::span<const uint8_t> message);
  // Ends all connections without a word and joins the thread; harmless when repeated. `doorbell` is not
  // called afterwards.
  void Stop();

  PayloadTable& up_payloads() { return up_payloads_; }
  PayloadTable& down_payloads() { return down_payloads_; }

  // "4.3.5-..." and the names of our patches that this lws lacks, separated by blanks.
  static std::string LwsVersion();
  // "3.0.17": the OpenSSL that is in use, Node's or our own.
  static std::string TlsVersion();
  static std::string MissingPatches();

  // What compression of the whole process may hold in memory, and what it holds; any thread.
  static void SetCompressionBudget(size_t bytes);
  static size_t CompressionBytes();

 private:
  // So long JavaScript may leave something waiting.
  static constexpr std::chrono::milliseconds kPatience{50};
  // So many bytes of the ring JavaScript gets at a time, if its thread takes the turns: what the processor's
  // cache holds. The last read may bring more.
  static constexpr uint32_t kBatchBytes = 500 * 1024;
  // So long after it began to read a turn may begin with one more batch of what it left unread. Who is slow
  // to read from, like what inflates to much, has one batch a turn by that.
  static constexpr uint64_t kReadOnUs = 2000;

  static void RunThread(void* argument);
  void StandIn();
  bool PauseToStop();
  void TakeOver();
  void OnDoorbell();
  bool TryTurns() OHWS_TRY_ACQUIRE(turns_);
  void Receive(int timeout_ms, uint32_t batch) OHWS_REQUIRES(turns_);
  bool ServeAndLook() OHWS_REQUIRES(turns_);
  void ServeAtOnce() OHWS_REQUIRES(turns_);
  void EndTurn() OHWS_RELEASE(turns_);

  const RingMemory up_;
  const RingMemory down_;
  const std::function<void()> doorbell_;
  const bool lends_;
  PayloadTable up_payloads_;
  PayloadTable down_payloads_;
  std::unique_ptr<Core> core_;  // used by whoever takes a turn
  int descriptor_ = -1;
  bool running_ = false;
  SystemThread thread_;
  std::atomic<bool> stop_ = false;

  Mutex turns_;
  bool javascripts_turn_ OHWS_GUARDED_BY(turns_) = false;
  bool rung_ OHWS_GUARDED_BY(turns_) = false;
  uint64_t readable_at_ms_ OHWS_GUARDED_BY(turns_) = 0;  // 0: at no time
  bool readable_ OHWS_GUARDED_BY(turns_) = false;        // made so by us, and the system was not asked since
  bool has_unread_ = false;                              // these two: JavaScript's thread
  uint64_t read_on_until_us_ = 0;
  std::atomic<uint64_t> javascripts_turns_ = 0;
  std::atomic<bool> asked_back_ = false;  // JavaScript wants to take the turns again
  std::mutex pause_mutex_;
  std::condition_variable pause_;  // ends with stop_
};

}  // namespace ohws
