// What the load does with the connections; one class a mode. A workload decides when to send, to
// open and to close, and how long each thing took; Load does it.
#pragma once

#include <cstdint>
#include <memory>

#include "options.h"

namespace ohws::bench {

class Load;

class Workload {
 public:
  virtual ~Workload() = default;

  // Whether all connections are opened before OnStart(), and closed after the measured time.
  virtual bool KeepsConnections() const { return true; }

  // Traffic may begin.
  virtual void OnStart(uint64_t now_ns) = 0;

  // At each turn of the loop while traffic goes on; and when that must be at the latest.
  virtual void OnTurn(uint64_t) {}
  virtual uint64_t NextTurnNs() const { return UINT64_MAX; }
  // Whether the loop may sleep until then, or until something comes.
  virtual bool MaySleep() const { return true; }

  // Messages `first` up to `end` of a connection have come back and were found right.
  virtual void OnMessages(uint32_t index, uint64_t first, uint64_t end, uint64_t now_ns) = 0;

  // A connection has opened; has ended in order. Only where they are not kept.
  virtual void OnOpen(uint32_t) {}
  virtual void OnClosed(uint32_t, uint64_t) {}

  // The measured time is over. What is under way still comes home.
  virtual void OnStop() {}

  // Whether the server owes anything now; if not, silence is no hang.
  virtual bool AwaitsAnswers() const { return true; }
};

std::unique_ptr<Workload> MakeWorkload(const Options& options, Load& load);

}  // namespace ohws::bench
