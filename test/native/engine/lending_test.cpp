// Binary messages that are lent to JavaScript where they were received: their bytes, for as long as it has
// the block, and how much of them waits while JavaScript does not look.
#include <optional>
#include <span>

#include "engine_here.h"

namespace ohws::check {
namespace {

constexpr size_t kSize = 16 * 1024;
constexpr uint32_t kRing = 1024 * 1024;

// Masked with zeros, or not.
std::string Message(size_t size, char fill, char key = 0) {
  std::string frame("\x82\xfe", 2);
  frame.push_back(static_cast<char>(size >> 8));
  frame.push_back(static_cast<char>(size & 0xff));
  frame.append(4, key);
  return frame.append(size, static_cast<char>(fill ^ key));
}

// What JavaScript would do with records of loans.
class Borrower {
 public:
  explicit Borrower(EngineHere& engine) : engine_(&engine) {}

  void Take(const JavaScriptHere::Record& record) {
    if (record.kind != UpKind::kLentBinary) return;
    if ((record.flags & kNewBlock) != 0) blocks_.push_back(engine_->up_payloads().Take(record.arg));
    const auto place = record.LentPlace();
    CHECK(!blocks_.empty() && blocks_.back().data != nullptr);
    CHECK(place.offset + place.size <= blocks_.back().size);
    messages_.push_back(
        std::span(blocks_.back().data.get(), blocks_.back().size).subspan(place.offset, place.size));
  }

  size_t count() const { return messages_.size(); }
  size_t blocks() const { return blocks_.size(); }
  std::string Text(size_t index) const { return {messages_[index].begin(), messages_[index].end()}; }

 private:
  EngineHere* engine_;
  std::vector<Payload> blocks_;
  std::vector<std::span<const uint8_t>> messages_;
};

Client Connect(EngineHere& engine, uint16_t port) {
  Client client(port);
  client.Send(kUpgrade);
  engine.TurnsUntil(UpKind::kAccepted, 1);
  return client;
}

uint16_t Listen(EngineHere& engine, std::string_view lends) {
  return engine.Listen({"limit", "messageBytes", "1000000", "lendsBinary", lends});
}

TEST(messages_stay_as_they_are_while_more_come) {
  std::optional<EngineHere> engine(std::in_place);
  Borrower borrower(*engine);
  std::optional<Client> client(Connect(*engine, Listen(*engine, "1")));
  std::vector<std::string> sent;
  for (int i = 0; i < 60; ++i) {
    const auto fill = static_cast<char>('A' + i);
    sent.emplace_back(600 + static_cast<size_t>(i) * 1000, fill);
    client->Send(Message(sent.back().size(), fill, static_cast<char>(i)));
    while (borrower.count() < sent.size()) {
      for (const auto& record : engine->Turn(10)) borrower.Take(record);
    }
  }
  CHECK(borrower.blocks() > 3);
  // Nor is anything freed with the engine.
  client.reset();
  engine.reset();
  for (size_t i = 0; i < sent.size(); ++i) CHECK(borrower.Text(i) == sent[i]);
}

TEST(no_more_waits_than_would_in_the_ring) {
  EngineHere engine;
  const uint16_t port = Listen(engine, "1");
  std::vector<Client> clients;
  while (clients.size() < 48) clients.push_back(Connect(engine, port));
  std::string many;
  for (int i = 0; i < 4; ++i) many += Message(kSize, 'x');
  for (const Client& client : clients) client.Send(many);

  Borrower borrower(engine);
  const size_t all = clients.size() * 4;
  size_t copied = 0;  // what came in two reads
  size_t most = 0;
  while (borrower.count() + copied < all) {
    // JavaScript does not look.
    for (int turns = 0; turns < 50; ++turns) {
      engine.core().Serve();
      engine.core().Receive(0, Core::kNoBatch);
    }
    const size_t before = borrower.count() + copied;
    for (const auto& record : engine.Look()) {
      borrower.Take(record);
      if (record.kind == UpKind::kBinary) ++copied;
    }
    most = std::max(most, (borrower.count() + copied - before) * kSize);
  }
  CHECK(most <= kRing);
  CHECK(most > kRing / 4);
  CHECK(borrower.count() > all / 2);
  for (size_t i = 0; i < borrower.count(); ++i) CHECK(borrower.Text(i) == std::string(kSize, 'x'));
}

TEST(small_and_fragmented_messages_and_text_are_not_lent) {
  EngineHere engine;
  const Client client = Connect(engine, Listen(engine, "1"));
  std::string text = Message(2000, 'x');
  text[0] = '\x81';
  std::string begin = Message(2000, 'x');
  begin[0] = '\x02';
  std::string end = Message(2000, 'x');
  end[0] = '\x80';
  client.Send(Message(300, 'x') + text + begin + end + Message(30'000, 'x') + Message(10'000, 'x'));
  const auto kinds = engine.TurnsUntil(UpKind::kLentBinary, 2);
  std::vector<UpKind> messages;
  for (const auto& record : kinds) messages.push_back(record.kind);
  CHECK(messages == (std::vector{UpKind::kBinary, UpKind::kText, UpKind::kBinary, UpKind::kLentBinary,
                                 UpKind::kLentBinary}));
}

TEST(nothing_is_lent_to_who_does_not_ask_for_views) {
  EngineHere engine;
  const Client client = Connect(engine, Listen(engine, "0"));
  client.Send(Message(kSize, 'x'));
  const auto records = engine.TurnsUntil(UpKind::kBinary, 1);
  CHECK_EQ(records.back().payload.size(), kSize);
}

}  // namespace
}  // namespace ohws::check
