#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "model/journal_unit.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"
#include "source/stream/block_maker.h"
#include "source/stream/decoding_faults.h"
#include "source/stream/feedback.h"
#include "source/stream/nap.h"
#include "source/stream/replication_stream.h"
#include "source/stream/silence.h"
#include "source/stream/source_watch.h"

namespace re_dms::stream_parts_test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

std::string begin(std::uint64_t commit_lsn) {
  std::string message = "B";
  append_be(message, commit_lsn);
  append_be(message, std::uint64_t{0});
  append_be(message, std::uint32_t{7});
  return message;
}

std::string commit(std::uint64_t commit_lsn, std::uint64_t end_lsn) {
  std::string message("C\0", 2);
  append_be(message, commit_lsn);
  append_be(message, end_lsn);
  append_be(message, std::uint64_t{1'000'000});
  return message;
}

std::string relation(Oid oid) {
  std::string message = "R";
  append_be(message, oid);
  message += std::string("s\0t\0d", 5);
  append_be(message, std::uint16_t{0});
  return message;
}

std::string logical(std::string_view prefix, bool transactional) {
  std::string message = "M";
  message += transactional ? '\1' : '\0';
  append_be(message, std::uint64_t{1});
  message.append(prefix).push_back('\0');
  append_be(message, std::uint32_t{0});
  return message;
}

/// Record kinds of a block in order, Message records by their type byte.
std::string kinds(const JournalBlock& block) {
  std::string text;
  for (RecordCursor cursor(block.bytes); !cursor.at_end();) {
    const RecordView record = cursor.next();
    text += record.kind == RecordKind::Message ? record.body[0] : static_cast<char>(record.kind);
  }
  return text;
}

TEST(BlockMaker, ReachesThePositionAfterTheCommit) {
  BlockMaker maker(Lsn{100});
  EXPECT_EQ(maker.add(begin(200)), BlockMaker::Step::Inside);
  maker.add("I row");
  EXPECT_TRUE(maker.transaction_open());
  EXPECT_EQ(maker.position(), Lsn{100});
  EXPECT_EQ(maker.add(commit(200, 210)), BlockMaker::Step::Committed);
  EXPECT_FALSE(maker.transaction_open());
  const JournalBlock block = maker.take({});
  EXPECT_EQ(kinds(block), "BIC");
  EXPECT_EQ(block.position, Lsn{210});
  EXPECT_EQ(block.messages, 3U);
  EXPECT_TRUE(maker.empty());
}

TEST(BlockMaker, PutsCatalogFactsBeforeEachRelation) {
  BlockMaker maker(Lsn{});
  maker.add(begin(1));
  maker.add(relation(11));
  maker.add("I row");
  maker.add(relation(12));
  maker.add(relation(11));
  maker.add(commit(1, 2));
  EXPECT_THAT(maker.tables_wanted(), ElementsAre(11U, 12U));
  CatalogTable known;
  known.schema.oid = 11;
  known.admitted = true;
  const JournalBlock block = maker.take({known});
  EXPECT_EQ(kinds(block), "BcRIcRcRC");
  std::vector<std::size_t> counts;
  for (RecordCursor cursor(block.bytes); !cursor.at_end();) {
    if (const RecordView record = cursor.next(); record.kind == RecordKind::Catalog) {
      counts.push_back(catalog_from_json(record.body).size());
    }
  }
  EXPECT_THAT(counts, ElementsAre(1U, 0U, 1U));
  EXPECT_TRUE(maker.tables_wanted().empty());
}

TEST(BlockMaker, DropsMessagesOfOthers) {
  BlockMaker maker(Lsn{});
  maker.add(logical("re_dms.heartbeat", false));
  maker.add(begin(1));
  maker.add(logical("pgstream", true));
  maker.add(logical("re_dms.ddl", true));
  maker.add(commit(1, 2));
  EXPECT_EQ(kinds(maker.take({})), "BMC");
}

TEST(BlockMaker, KeepsIdlePositionsThatSayMore) {
  BlockMaker maker(Lsn{100});
  EXPECT_FALSE(maker.add_idle(Lsn{100}, SystemTime{}));
  EXPECT_TRUE(maker.add_idle(Lsn{101}, SystemTime(milliseconds(1))));
  EXPECT_FALSE(maker.add_idle(Lsn{101}, SystemTime{}));
  const JournalBlock block = maker.take({});
  EXPECT_EQ(block.position, Lsn{101});
  ByteReader body(std::string_view(block.bytes).substr(kRecordHeaderBytes), "idle record");
  EXPECT_EQ(body.u64(), 101U);
  EXPECT_EQ(body.u64(), 1000U);
  maker.add(begin(200));
  EXPECT_FALSE(maker.add_idle(Lsn{150}, SystemTime{}));
}

TEST(BlockMaker, RefusesMessagesWhereTheyCannotBe) {
  EXPECT_THROW(BlockMaker(Lsn{}).add("I row"), Error);
  EXPECT_THROW(BlockMaker(Lsn{}).add(commit(1, 2)), Error);
  EXPECT_THROW(BlockMaker(Lsn{}).add(""), Error);
  EXPECT_THROW(BlockMaker(Lsn{}).add("S\0\0\0\1\1"), Error);
  BlockMaker maker(Lsn{});
  maker.add(begin(1));
  EXPECT_THROW(maker.add(begin(2)), Error);
}

TEST(AbortBlock, HoldsOneRecordAndNoPosition) {
  EXPECT_EQ(kinds(abort_block()), "a");
  EXPECT_FALSE(abort_block().position.known());
}

std::uint64_t flush_of(const std::string& message) {
  return load_be<std::uint64_t>(message.data() + 9);
}

TEST(Feedback, SaysWhatIsJournaledAndNeverLess) {
  Feedback feedback({});
  const SteadyTime now = SteadyTime(std::chrono::hours(1));
  const std::string first = feedback.message(Lsn{}, now, SystemTime{});
  EXPECT_EQ(first.size(), 34U);
  EXPECT_EQ(first[0], 'r');
  EXPECT_EQ(flush_of(first), 0U);
  EXPECT_EQ(flush_of(feedback.message(Lsn{50}, now, SystemTime{})), 50U);
  EXPECT_EQ(flush_of(feedback.message(Lsn{40}, now, SystemTime{})), 50U);
  EXPECT_EQ(feedback.flushed(), Lsn{50});
}

TEST(Feedback, IsDueOnRequestOnProgressAndAfterSilence) {
  Feedback feedback({.progress = milliseconds(100), .silence = milliseconds(3000)});
  SteadyTime now = SteadyTime(std::chrono::hours(1));
  feedback.message(Lsn{10}, now, SystemTime{});
  EXPECT_FALSE(feedback.due(Lsn{10}, now));
  now += milliseconds(50);
  EXPECT_FALSE(feedback.due(Lsn{20}, now));
  feedback.request();
  EXPECT_TRUE(feedback.due(Lsn{10}, now));
  feedback.message(Lsn{10}, now, SystemTime{});
  EXPECT_FALSE(feedback.due(Lsn{10}, now));
  now += milliseconds(100);
  EXPECT_TRUE(feedback.due(Lsn{20}, now));
  EXPECT_FALSE(feedback.due(Lsn{10}, now));
  EXPECT_TRUE(feedback.due(Lsn{10}, now + milliseconds(3000)));
}

TEST(Feedback, AsksForAnAnswerOnce) {
  Feedback feedback({});
  const SteadyTime now = SteadyTime(std::chrono::hours(1));
  EXPECT_EQ(feedback.message(Lsn{1}, now, SystemTime{}).back(), '\0');
  feedback.ask();
  EXPECT_TRUE(feedback.due(Lsn{1}, now));
  EXPECT_EQ(feedback.message(Lsn{1}, now, SystemTime{}).back(), '\1');
  EXPECT_EQ(feedback.message(Lsn{1}, now, SystemTime{}).back(), '\0');
}

TEST(SilenceBackoff, GrowsWithEverySilenceUntilSomethingComes) {
  SilenceBackoff backoff;
  const milliseconds first = backoff.times().answer;
  backoff.stream_ended(true, false);
  backoff.stream_ended(false, false);
  EXPECT_EQ(backoff.times().answer, 2 * first);
  backoff.stream_ended(true, false);
  EXPECT_EQ(backoff.times().answer, 4 * first);
  backoff.stream_ended(true, true);
  EXPECT_EQ(backoff.times().answer, 2 * first);
  for (int i = 0; i < 100; ++i) {
    backoff.stream_ended(true, false);
  }
  EXPECT_EQ(backoff.times().answer, 256 * first);
  EXPECT_EQ(backoff.times().ask, SilenceTimes().ask);
}

TEST(Silence, IsEndedByAnAnswerOrByLeaving) {
  SteadyTime now = SteadyTime(std::chrono::hours(1));
  Silence silence({.ask = milliseconds(100), .answer = milliseconds(50)}, now);
  EXPECT_FALSE(silence.ask(now += milliseconds(99)));
  EXPECT_TRUE(silence.ask(now += milliseconds(1)));
  EXPECT_FALSE(silence.ask(now += milliseconds(49)));
  EXPECT_NO_THROW(silence.leave_if_unanswered(now));
  silence.end(now);
  // Nobody was asked: the time may have passed while nobody looked.
  EXPECT_NO_THROW(silence.leave_if_unanswered(now += std::chrono::hours(1)));
  EXPECT_TRUE(silence.ask(now));
  EXPECT_THROW(silence.leave_if_unanswered(now + milliseconds(50)), Error);
}

TEST(PollBackoff, WaitsLongerAndLongerUpToABound) {
  PollBackoff backoff;
  for (const int expected : {5, 10, 20, 40, 80, 160, 320, 500, 500}) {
    EXPECT_EQ(backoff.next(), milliseconds(expected));
  }
}

/// The length after `naps` of them between which this many bytes came a microsecond.
std::chrono::microseconds nap_of(Nap& nap, int naps, std::size_t bytes_per_microsecond) {
  SteadyTime now = SteadyTime{} + std::chrono::hours(1);
  std::chrono::microseconds length = nap.next(0, now);
  for (int i = 0; i < naps; ++i) {
    const auto count = static_cast<std::size_t>(length.count());
    length = nap.next(count * bytes_per_microsecond, now += length);
  }
  return length;
}

TEST(Nap, GrowsUnderADenseStreamAndIsShortBehindIt) {
  Nap nap(false);
  EXPECT_EQ(nap_of(nap, 1, 40), Nap::kShortest * 2);
  EXPECT_EQ(nap_of(nap, 20, 40), Nap::kLongest);
  EXPECT_EQ(nap_of(nap, 20, 7), Nap::kShortest);
}

TEST(Nap, IsNoLongerThanSocketsHaveRoom) {
  Nap nap(false);
  EXPECT_EQ(nap_of(nap, 20, 512), std::chrono::microseconds(Nap::kRoom / 512));
}

TEST(Nap, IsShortOverAUnixSocket) {
  Nap nap(true);
  EXPECT_EQ(nap_of(nap, 20, 40), Nap::kShortest);
}

TEST(DecodingFaults, GiveUpOnlyWhereTheStreamGetsNoFurther) {
  const DecodingFailed error(Error(ErrorKind::Transient, "a fault [XX000]"));
  DecodingFaults faults;
  for (const Lsn at : {Lsn{100}, Lsn{200}}) {
    EXPECT_EQ(faults.note(error, at, "s").message(), "a fault [XX000]");
    for (int tries = 2; tries < DecodingFaults::kTriesMax; ++tries) {
      EXPECT_EQ(faults.note(error, at, "s").kind(), ErrorKind::Transient) << tries;
    }
  }
  const Error last = faults.note(error, Lsn{200}, "s");
  EXPECT_EQ(last.kind(), ErrorKind::Fatal);
  EXPECT_TRUE(last.needs_a_person());
  EXPECT_THAT(last.what(), ::testing::HasSubstr("beyond 0/C8: 30 times"));
}

TEST(DecodingFaults, AreErrorsOfTheServersOwn) {
  EXPECT_TRUE(is_decoding_fault("XX000"));
  EXPECT_TRUE(is_decoding_fault("54000"));
  for (const char* other : {"", "57P01", "53200", "08006", "XX001"}) {
    EXPECT_FALSE(is_decoding_fault(other)) << other;
  }
}

TEST(CopyData, IsCheckedBeforeItIsUsed) {
  EXPECT_THROW(pgoutput_payload(std::string(25, 'w')), Error);
  EXPECT_EQ(pgoutput_payload(std::string(25, 'w') + "I"), "I");
  EXPECT_THROW(read_keepalive("k1234"), Error);
  std::string keepalive = "k";
  append_be(keepalive, std::uint64_t{77});
  append_be(keepalive, std::uint64_t{0});
  keepalive += '\1';
  EXPECT_EQ(read_keepalive(keepalive).server_end, Lsn{77});
  EXPECT_TRUE(read_keepalive(keepalive).reply_requested);
}

}  // namespace
}  // namespace re_dms::stream_parts_test
