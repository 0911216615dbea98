#include "batch/row_fault.h"

namespace re_dms {

std::string_view describe(RowFault fault) {
  switch (fault) {
    case RowFault::None:
      return "nothing is wrong";
    case RowFault::KeyIsNull:
      return "a change arrived with a NULL key: the replica identity does not identify rows";
    case RowFault::KeyNotSent:
      return "a change arrived without the value of a key column";
    case RowFault::FullOldTuple:
      return "a whole old row arrived although the table's replica identity is a key";
    case RowFault::NoFullOldTuple:
      return "a change arrived without the whole old row although the table's replica identity is "
             "FULL";
    case RowFault::OldRowWithoutValue:
      return "a change arrived whose old row lacks a value, so the row cannot be identified";
    case RowFault::InsertWithoutValue:
      return "an inserted row arrived without the value of a large column: the row filter in the "
             "publication makes such inserts of updates, and the value is nowhere in the stream. "
             "Under REPLICA IDENTITY FULL it is";
    case RowFault::InsertOfPresentRow:
      return "the stream contradicts itself: a row was inserted with the key of another row";
    case RowFault::ChangeOfAbsentRow:
      return "the stream contradicts itself: a row was changed or deleted after it was gone";
    case RowFault::MoveOntoPresentRow:
      return "the stream contradicts itself: a row took the key of another row";
    case RowFault::RowTooLarge:
      return "a row is larger than batch.max_row_bytes";
  }
  return "unknown";
}

Remedy remedy_of(RowFault fault) {
  switch (fault) {
    case RowFault::KeyIsNull:
    case RowFault::KeyNotSent:
    case RowFault::OldRowWithoutValue:
    case RowFault::RowTooLarge:
      return Remedy::Person;
    default:
      return Remedy::Copy;
  }
}

}  // namespace re_dms
