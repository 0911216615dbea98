#include "source/stream/slot_reader.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "observe/advice.h"
#include "observe/log.h"
#include "source/catalog/catalog.h"
#include "source/connection/identity.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"

namespace re_dms {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBlockBytes = 256U << 10;
/// After this much the reader looks after everything else, but does not wait.
constexpr std::size_t kEnoughBytes = 128U << 10;
/// The same for a row of many megabytes, which brings no message until it is complete.
constexpr int kEnoughReads = 1024;
/// While something received is not confirmed: how often the journal's progress is looked at.
constexpr milliseconds kLookAtJournal{20};
constexpr milliseconds kPushTry{50};
constexpr milliseconds kPausedPoll{100};
constexpr milliseconds kLongestPoll{1000};
/// libpq reads when it cannot write, and poll does not see what it has read then.
constexpr milliseconds kUnsentPoll{20};
constexpr milliseconds kPoliteEnd{500};

constexpr const char* kOtherServers =
    "Either the stream has ended since, or connections of source.url lead to different servers: in "
    "that case name only the primary";

milliseconds since(SteadyTime then, SteadyTime now) {
  return std::chrono::duration_cast<milliseconds>(now - then);
}

/// A server sends only WAL that it has flushed (PostgreSQL 15, walsender.c, XLogSendLogical), so
/// what is journaled lies below its end, whatever crash came in between.
void require_nothing_undone(Lsn flushed, Lsn journaled_to) {
  if (flushed < journaled_to) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the source's WAL ends at {}, but the journal has changes up to {}: the "
                    "source was set back to an earlier state",
                    flushed, journaled_to),
        or_begin_anew(
            "The target holds changes that the source no longer has, and new changes get the same "
            "positions. If an old copy of the source answers at source.url, point source.url at "
            "the right one. "));
  }
}

}  // namespace

SlotReader::SlotReader(const SourceSettings& settings, const Origin& origin,
                       const StreamWiring& wiring, ReportedAnswers& reported, ReadTimes times)
    : settings_(settings),
      origin_(origin),
      wiring_(wiring),
      times_(times),
      clock_(real_clock()),
      questions_(settings, origin, times.facts, reported),
      maker_(Lsn{}),
      feedback_(times.feedback),
      silence_(times.silence, clock_.steady()) {}

void SlotReader::run(StreamStart start, bool& open, const std::stop_token& stop) {
  stop_ = stop;
  open_ = &open;
  connect(start);
  if (open) {
    push(abort_block(), false);
  }
  try {
    read_on();
  } catch (const Error&) {
    if (stream_->ended()) {
      hand_on_behind_end();
    }
    throw;
  }
  finish();
}

void SlotReader::read_on() {
  while (!stop_.stop_requested()) {
    questions_.look_at_clock(clock_.steady());
    if (const auto unheard = wiring_.look_soon()) {
      questions_.ask_soon(*unheard);
    }
    if (questions_.due() && !maker_.transaction_open() && !wiring_.paused()) {
      report_catalog_news();
    }
    const ReadResult read = receive();
    const SteadyTime now = clock_.steady();
    add_idle_position();
    if (!maker_.empty() &&
        (read.bytes == 0 || read.paused || since(block_began_, now) >= times_.block)) {
      hand_on();
    }
    listen(read, now);
    report(now);
    look_after_server(read.paused, now);
    wait(read);
  }
}

void SlotReader::connect(StreamStart start) {
  maker_ = BlockMaker(start.journaled_to);
  stop_signal_.emplace(stop_);
  silence_.end(clock_.steady());
  watch_.emplace(settings_, times_.watch, stop_);
  require_same_cluster(origin_, watch_->connection());
  // PostgreSQL 18 skips the changes of a publication that is missing, with a mere warning.
  require_publication(watch_->connection(), settings_.publication);
  // On this same connection: another one may have reached another server.
  Connection replication(settings_, ConnectionPurpose::Replication, stop_);
  const Identity now = identify_server(replication, settings_);
  require_same_source(origin_, now.origin);
  require_nothing_undone(now.flushed, start.journaled_to);
  stream_.emplace(std::move(replication), settings_, start.from);
  nap_ = Nap(stream_->over_unix_socket());
  require_own_position(start.journaled_to);
  wiring_.started();
  log(LogLevel::Info, "stream_started", "reading changes from the source",
      {{"slot", settings_.slot}, {"from", start.from}});
}

/// Read while the slot is ours and before the first feedback: later our own confirmations show, and
/// before it somebody else could still move it. A position behind the journal is normal: the server
/// does not keep every confirmation through a restart.
void SlotReader::require_own_position(Lsn journaled_to) {
  const std::optional<SlotState> slot = find_slot(watch_->connection(), settings_.slot);
  if (!slot) {
    // It has just been taken. Whether it is gone is asked before each stream.
    throw Error(ErrorKind::Transient,
                fmt::format("the stream reads slot \"{}\", which the server that answers catalog "
                            "questions does not have",
                            settings_.slot),
                kOtherServers);
  }
  if (slot->active_pid == 0) {
    // The server may have ended the stream already; then it has said why.
    stream_->read_socket();
    while (stream_->next()) {
    }
    throw Error(ErrorKind::Transient,
                fmt::format("the stream reads slot \"{}\", but on the server that answers catalog "
                            "questions nobody reads it",
                            settings_.slot),
                kOtherServers);
  }
  if (slot->confirmed_flush > journaled_to) {
    throw Error(ErrorKind::Fatal,
                fmt::format("slot \"{}\" is confirmed up to {}, but the journal ends at {}",
                            settings_.slot, slot->confirmed_flush, journaled_to),
                begin_anew("Somebody else read from the slot or moved it, or the end of the "
                           "journal is lost: the changes in between cannot be recovered. "))
        .needing_a_person();
  }
}

SlotReader::ReadResult SlotReader::receive() {
  ReadResult result;
  result.paused = !maker_.transaction_open() && wiring_.paused();
  int reads = 0;
  while (!result.paused) {
    ++counts_.reads;
    stream_->read_socket();
    const std::size_t bytes = take_messages(result.paused);
    result.bytes += bytes;
    result.more = stream_->more_to_read(bytes);
    if (!result.more || result.bytes >= kEnoughBytes || ++reads == kEnoughReads) {
      break;
    }
  }
  return result;
}

/// Takes what libpq holds, up to a commit after which reading is to pause. Returns the bytes.
std::size_t SlotReader::take_messages(bool& paused) {
  std::size_t bytes = 0;
  while (const std::optional<std::string_view> copy_data = stream_->next()) {
    bytes += copy_data->size();
    const BlockMaker::Step step = take(*copy_data);
    if (maker_.bytes() >= kBlockBytes) {
      hand_on();
    }
    if (step == BlockMaker::Step::Committed) {
      paused = wiring_.paused();
      if (paused) {
        break;
      }
      report_catalog_news();
    }
  }
  return bytes;
}

BlockMaker::Step SlotReader::take(std::string_view copy_data) {
  if (copy_data.front() == 'w') [[likely]] {
    if (maker_.empty()) {
      block_began_ = clock_.steady();
    }
    return maker_.add(pgoutput_payload(copy_data));
  }
  if (copy_data.front() == 'k') {
    const Keepalive keepalive = read_keepalive(copy_data);
    server_end_ = std::max(server_end_, keepalive.server_end);
    wiring_.progress.server.advance(keepalive.server_end);
    if (keepalive.reply_requested) {
      idle_urgent_ = true;
      feedback_.request();
    }
  }
  return BlockMaker::Step::Inside;
}

/// A keepalive's position holds for everything sent before it, so it may be kept once no
/// transaction is open. An idle slot moves by these alone; a server that shuts down waits for one.
void SlotReader::add_idle_position() {
  if (maker_.transaction_open() || server_end_ <= maker_.position()) {
    idle_urgent_ = false;
    return;
  }
  const SteadyTime now = clock_.steady();
  if (!idle_urgent_ && since(idle_at_, now) < times_.idle) {
    return;
  }
  if (maker_.empty()) {
    block_began_ = now;
  }
  if (maker_.add_idle(server_end_, clock_.now())) {
    idle_at_ = now;
    idle_urgent_ = false;
  }
}

void SlotReader::hand_on() {
  if (!wait_until_visible()) {
    return;
  }
  JournalBlock block =
      maker_.take(questions_.ask_about(watch_->connection(), maker_.tables_wanted()));
  if (push(std::move(block), maker_.transaction_open())) {
    note_progress();
  }
}

/// The stream has ended. Whole transactions that came before are kept: without this, a link that
/// always ends soon behind a commit would make no progress.
void SlotReader::hand_on_behind_end() {
  const bool complete = maker_.position() > wiring_.progress.received.lsn();
  if (maker_.empty() || !complete || !watch_->alive()) {
    return;
  }
  try {
    hand_on();
  } catch (const Error& error) {
    // They come again. People need to know what ended the stream.
    log(LogLevel::Debug, "not_handed_on", error.what());
  }
}

/// Asks about all tables when it is time; between transactions only.
void SlotReader::report_catalog_news() {
  if (!questions_.due() || !watch_->alive()) {
    return;
  }
  // Relations that wait for an answer get it first: answers come in the order they were asked in.
  if (!maker_.empty()) {
    hand_on();
  }
  if (stop_.stop_requested()) {
    return;
  }
  CatalogNews news =
      questions_.ask_about_all(watch_->connection(), clock_.steady(), wiring_.followed());
  if (!news.block.empty()) {
    push(std::move(news.block), false);
    questions_.note_reported(std::move(news.answers));
    watch_->make_position();
  }
  if (news.left_out) {
    wiring_.left_out(*news.left_out);
  }
}

/// Before the catalog is asked. False when stopped meanwhile: the block must not be handed on then.
bool SlotReader::wait_until_visible() {
  const std::vector<std::uint32_t> xids = maker_.transactions_wanted();
  if (xids.empty()) {
    return true;
  }
  const SteadyTime began = clock_.steady();
  PollBackoff backoff;
  while (!transactions_visible(watch_->connection(), xids)) {
    if (stop_.stop_requested()) {
      return false;
    }
    const SteadyTime now = clock_.steady();
    watch_->leave_if_invisible(began, now);
    watch_->call_now_and_then(now);
    report(now);
    pollfd waiting{stop_signal_->descriptor(), POLLIN, 0};
    poll(&waiting, 1, static_cast<int>(std::min(backoff.next(), times_.feedback.silence).count()));
  }
  return true;
}

/// Waits for room while feedback goes on. False when stopped, and throws where staying would harm
/// the source: then the block is dropped, and comes again as it does not count as received.
bool SlotReader::push(JournalBlock block, bool open_after) {
  const std::size_t weight = block.bytes.size();
  while (!wiring_.out.push_for(block, weight, stop_, kPushTry)) {
    if (stop_.stop_requested()) {
      return false;
    }
    const SteadyTime now = clock_.steady();
    report(now);
    watch_->look_now(now);
    look_after_server(true, now);
  }
  *open_ = open_after;
  return true;
}

void SlotReader::note_progress() {
  Progress& progress = wiring_.progress;
  progress.received.advance(maker_.position());
  progress.server.advance(maker_.position());
  progress.committed.advance(maker_.commit_end());
}

/// While reading is paused nobody listens: a server that hangs then is treated as one that is
/// stuck.
void SlotReader::listen(const ReadResult& read, SteadyTime now) {
  if (read.bytes > 0 || read.more || read.paused) {
    silence_.end(now);
    return;
  }
  silence_.leave_if_unanswered(now);
  if (silence_.ask(now)) {
    feedback_.ask();
  }
}

void SlotReader::report(SteadyTime now) {
  const Lsn journaled = wiring_.progress.journaled.lsn();
  if (feedback_.due(journaled, now)) {
    stream_->send(feedback_.message(journaled, now, clock_.now()));
  }
}

/// Ends the stream where staying would harm the source.
void SlotReader::look_after_server(bool held_up, SteadyTime now) {
  const Progress& progress = wiring_.progress;
  const bool unconfirmed = progress.received.lsn() > progress.journaled.lsn();
  watch_->leave_if_stuck({held_up, unconfirmed}, feedback_.advanced_at(), now);
  watch_->call_now_and_then(now);
}

milliseconds SlotReader::poll_timeout(bool paused, SteadyTime now) const {
  milliseconds timeout = std::min(kLongestPoll, times_.feedback.silence);
  if (paused) {
    timeout = std::min(timeout, kPausedPoll);
  }
  if (maker_.position() > feedback_.flushed()) {
    timeout = std::min(timeout, kLookAtJournal);
  }
  if (!paused && !maker_.transaction_open() && watch_->alive()) {
    timeout = std::min(timeout, questions_.until_due(now));
  }
  if (!paused && !maker_.transaction_open() && server_end_ > maker_.position()) {
    timeout = std::min(timeout, times_.idle - std::min(times_.idle, since(idle_at_, now)));
  }
  return timeout;
}

/// Little came: a nap lets more arrive than a wake-up per message would (measured: 0.8 to 1.3 µs a
/// row against 4.5 to 5.2). Nothing came: waits for the socket, the plain connection, stop. Never
/// waits while libpq or the TLS layer may hold input.
void SlotReader::wait(const ReadResult& read) {
  if (stream_->lost()) {
    if (read.paused) {
      stream_->throw_ended();
    }
    return;
  }
  bytes_since_nap_ += read.bytes;
  if (!read.paused && (read.more || read.bytes >= kEnoughBytes)) {
    return;
  }
  if (!read.paused && read.bytes > 0) {
    take_nap();
    return;
  }
  pollfd waiting[3] = {{stream_->socket(), 0, 0},
                       {stop_signal_->descriptor(), POLLIN, 0},
                       {watch_->socket(), static_cast<short>(POLLIN | POLLRDHUP), 0}};
  milliseconds timeout = poll_timeout(read.paused, clock_.steady());
  if (!read.paused) {
    waiting[0].events = POLLIN;
  }
  if (!stream_->flush()) {
    waiting[0].events = static_cast<short>(waiting[0].events | POLLOUT);
  }
  if (stream_->read_while_sending()) {
    timeout = std::min(timeout, kUnsentPoll);
  }
  ++counts_.polls;
  if (poll(waiting, 3, static_cast<int>(timeout.count())) <= 0) {
    return;
  }
  if (read.paused && (waiting[0].revents & (POLLHUP | POLLERR)) != 0) {
    throw Error(ErrorKind::Transient, "the source closed the connection while reading was paused");
  }
  const SteadyTime now = clock_.steady();
  if ((waiting[0].revents & POLLIN) != 0) {
    // Counts for a message too that is not complete yet.
    silence_.end(now);
  }
  watch_->look(waiting[2].revents, now);
}

void SlotReader::take_nap() {
  const std::chrono::microseconds length =
      nap_.next(std::exchange(bytes_since_nap_, 0), clock_.steady());
  if (length >= times_.block && !maker_.empty()) {
    hand_on();
  }
  ++counts_.naps;
  std::this_thread::sleep_for(length);
}

/// Blocks not handed on yet are dropped: who writes them obeys the same stop, and the server sends
/// again what is not confirmed.
void SlotReader::finish() {
  const SteadyTime now = clock_.steady();
  stream_->send(feedback_.message(wiring_.progress.journaled.lsn(), now, clock_.now()));
  stream_->finish(kPoliteEnd);
}

}  // namespace re_dms
