#include "engine/topics.h"

#include "engine/connection.h"

namespace ohws {

namespace {

// So many bytes for so many subscribers are worth the file that they are lent from.
constexpr size_t kLendFromBytes = size_t{16} * 1024;
constexpr size_t kLendFromSubscribers = 32;

}  // namespace

void Topics::Subscribe(Connection& connection, uint32_t topic) {
  HandOut();
  table_.Subscribe(connection, topic);
}

void Topics::Unsubscribe(Connection& connection, uint32_t topic) {
  HandOut();
  table_.Unsubscribe(connection, topic);
}

void Topics::Leave(Connection& connection) {
  if (!connection.subscribes()) return;
  HandOut();
  table_.Leave(connection);
}

void Topics::Publish(uint32_t topic, uint32_t except, Opcode opcode, std::span<const uint8_t> payload) {
  if (topic != topic_ || except != except_) HandOut();
  topic_ = topic;
  except_ = except;
  gathered_.Add(opcode, payload);
}

void Topics::HandOutBefore(const Connection& connection) {
  if (!gathered_.empty() && connection.SubscribesTo(topic_)) HandOut();
}

void Topics::HandOut() {
  if (gathered_.empty()) return;
  if (table_.Of(topic_).size() >= kLendFromSubscribers && gathered_.frames().size() >= kLendFromBytes) {
    gathered_.Lend(LentMemory::Copy(gathered_.frames()));
  }
  for (const TopicTable::Member& member : table_.Of(topic_)) {
    auto& connection = static_cast<Connection&>(*member.subscriber);
    if (connection.id() != except_) connection.SendPublished(gathered_);
  }
  gathered_.Clear();
}

}  // namespace ohws
