// Any order of steps of the two sides: records come out whole and in order, nothing is written over what is
// still being read, a full ring takes records again when it is empty, and a doorbell is rung exactly when the
// other side sleeps.
#include "wire/ring.h"

#include <deque>

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

struct Expected {
  RecordHeader header;
  std::string payload;
};

struct Reading {
  const uint8_t* at;
  std::string payload;
};

bool Same(const RecordHeader& a, const RecordHeader& b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

}  // namespace

void FuzzOne(Input input) {
  const uint32_t capacity = 64U << input.Below(6);
  // Of the alignment that malloc gives, and exactly as large.
  std::vector<uint64_t> memory((kRingHeadBytes + capacity) / sizeof(uint64_t));
  const RingMemory ring(reinterpret_cast<uint8_t*>(memory.data()), kRingHeadBytes + capacity);
  RingProducer producer(ring, 32U << input.Below(8));
  RingConsumer consumer(ring);
  std::deque<Expected> written;    // and not published
  std::deque<Expected> published;  // and not read
  std::vector<Reading> reading;    // and not released
  bool consumer_asleep = false;
  bool producer_waits = false;
  uint32_t number = 0;

  const auto write = [&](uint32_t size, bool by_reserve) {
    const RecordHeader header{
        static_cast<uint8_t>(1 + number % 200), static_cast<uint8_t>(number), 7, number, size, ~number};
    const std::string payload(size, static_cast<char>(number));
    bool done = false;
    if (by_reserve) {
      uint8_t* at = producer.TryReserve(size);
      done = at != nullptr;
      if (done) {
        std::copy(payload.begin(), payload.end(), at);
        producer.Commit(header);
      }
    } else {
      done = producer.TryWrite(header, payload);
    }
    if (done) written.push_back({header, payload});
    ++number;
    return done;
  };
  const auto publish = [&] {
    const bool owed = producer.unpublished() != 0 && consumer_asleep;
    REQUIRE(producer.Publish() == owed);
    if (owed) consumer_asleep = false;
    for (; !written.empty(); written.pop_front()) published.push_back(written.front());
  };
  const auto read = [&] {
    RecordHeader header;
    uint8_t* payload = nullptr;
    REQUIRE(consumer.Next(header, payload) == !published.empty());
    if (published.empty()) return;
    const Expected& expected = published.front();
    REQUIRE(Same(header, expected.header));
    REQUIRE(std::memcmp(payload, expected.payload.data(), header.size) == 0);
    reading.push_back({payload, expected.payload});
    published.pop_front();
  };
  const auto release = [&] {
    for (const Reading& record : reading)
      REQUIRE(std::memcmp(record.at, record.payload.data(), record.payload.size()) == 0);
    reading.clear();
    const bool owed = consumer.unreleased() != 0 && producer_waits;
    REQUIRE(consumer.Release() == owed);
    if (owed) producer_waits = false;
  };

  while (!input.empty()) {
    const uint8_t step = input.Byte();
    switch (step % 10) {
      case 0:
      case 1:
      case 2:
        write(static_cast<uint32_t>(input.Below(producer.max_payload() + 1)), step >= 128);
        break;
      case 3:  // room that is not used
        producer.TryReserve(static_cast<uint32_t>(input.Below(producer.max_payload() + 1)));
        break;
      case 4:
        publish();
        break;
      case 5:
      case 6:
        if (!consumer_asleep) read();
        break;
      case 7:
        release();
        break;
      case 8: {
        const bool pads_only = published.empty();
        const bool slept = consumer.TrySleep();
        REQUIRE(!slept || pads_only);
        consumer_asleep = slept;
        if (step >= 128) {
          consumer.Wake();
          consumer_asleep = false;
        }
        break;
      }
      default:
        producer.WaitForRoom();
        producer_waits = true;
        break;
    }
    REQUIRE(ring.write().load() - ring.read().load() <= capacity);
  }

  // Emptied, it takes the largest record, wherever its place is.
  publish();
  consumer.Wake();
  consumer_asleep = false;
  while (!published.empty()) read();
  read();
  release();
  REQUIRE(producer.HasRoom(capacity) && !producer.HasRoom(capacity + 1));
  REQUIRE(write(producer.max_payload(), true));
  publish();
  read();
  release();
}

}  // namespace ohws::fuzz
