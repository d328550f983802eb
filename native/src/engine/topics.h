// What is published on one engine thread. Messages for the same topic gather while nothing else is between
// them, and are then handed to the queue of every subscriber as one: so a message costs a subscriber next to
// nothing, and a batch of them one write. Engine thread.
//
// Invariant: what has gathered is handed out before anything else reaches the queue of a connection that gets
// it, before anybody comes or goes, and before the queues are flushed. So order is that of JavaScript's
// calls.
#pragma once

#include <cstdint>
#include <span>

#include "protocol/frame.h"
#include "protocol/shared_messages.h"
#include "protocol/topic_table.h"

namespace ohws {

class Connection;

class Topics {
 public:
  void Subscribe(Connection& connection, uint32_t topic);
  void Unsubscribe(Connection& connection, uint32_t topic);
  // Every topic.
  void Leave(Connection& connection);

  // To every subscriber but the connection of this id; 0: to all.
  void Publish(uint32_t topic, uint32_t except, Opcode opcode, std::span<const uint8_t> payload);

  // Something else is about to happen to this connection.
  void HandOutBefore(const Connection& connection);
  void HandOut();

 private:
  TopicTable table_;
  SharedMessages gathered_;
  // Of what has gathered.
  uint32_t topic_ = 0;
  uint32_t except_ = 0;
};

}  // namespace ohws
