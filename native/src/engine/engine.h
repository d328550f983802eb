// What the addon sees of the engine: a thread that serves two rings. The constructor starts it, Stop() ends
// it and waits; both are called on the environment's JavaScript thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/system.h"
#include "wire/payload_table.h"
#include "wire/ring.h"

namespace ohws {

class Poller;

class Engine {
 public:
  // The rings' memory outlives the engine. `doorbell` is called on the engine thread and must not block; it
  // wakes JavaScript to look at the up ring.
  Engine(RingMemory up, RingMemory down, std::function<void()> doorbell);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() { Stop(); }

  // Starts the thread. False if the system has no thread or no event loop for us.
  bool Start();
  // Makes the engine look at the down ring; any thread.
  void Wake();
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
  struct ThreadMain;
  static void RunThread(void* argument);

  const RingMemory up_;
  const RingMemory down_;
  const std::function<void()> doorbell_;
  PayloadTable up_payloads_;
  PayloadTable down_payloads_;
  std::atomic<bool> stop_ = false;
  Poller* poller_ = nullptr;                   // owned by the thread
  std::atomic<bool> poller_released_ = false;  // by Stop(), which may be the last to touch it
  bool running_ = false;
  SystemThread thread_;
};

}  // namespace ohws
