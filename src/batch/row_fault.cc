#include "batch/row_fault.h"

namespace re_dms {

std::string_view describe(RowFault fault) {
  switch (fault) {
    case RowFault::None:
      return "nothing is wrong";
    case RowFault::KeyIsNull:
      return "a change came whose key is NULL: the replica identity does not identify rows";
    case RowFault::KeyNotSent:
      return "a change came without the value of a key column";
    case RowFault::FullOldTuple:
      return "a whole old row came although the table's replica identity is a key";
    case RowFault::NoFullOldTuple:
      return "a change came without the whole old row although the table's replica identity is "
             "FULL";
    case RowFault::OldRowWithoutValue:
      return "a change came whose old row lacks a value; which row it was cannot be told";
    case RowFault::InsertWithoutValue:
      return "an inserted row came without the value of a large column; a row filter in the "
             "publication makes such inserts out of updates, and the value is nowhere in the "
             "stream";
    case RowFault::InsertOfPresentRow:
      return "the stream contradicts itself: a row was inserted whose key another row has";
    case RowFault::ChangeOfAbsentRow:
      return "the stream contradicts itself: a row was changed or deleted that was gone before";
    case RowFault::MoveOntoPresentRow:
      return "the stream contradicts itself: a row took a key that another row has";
    case RowFault::RowTooLarge:
      return "a row is larger than batch.max_row_bytes";
  }
  return "unknown";
}

}  // namespace re_dms
