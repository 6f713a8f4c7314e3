import { ErrorCode } from '../../protocol/index.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { Decision, DecisionContext } from './decision.ts'
import { GroupDraft, joinError, syncError } from './group-draft.ts'

/** The group is another coordinator's now: it is Dead here, and whoever waits is sent to find that one. */
export function dissolve(group: ClassicGroup, context: DecisionContext): Decision {
  const draft = new GroupDraft(group, context)
  for (const member of group.members.values()) {
    draft.replyJoin(draft.members.get(member.memberId), joinError(ErrorCode.NOT_COORDINATOR, member.memberId))
    draft.replySync(draft.members.get(member.memberId), syncError(ErrorCode.NOT_COORDINATOR))
  }
  draft.transitionTo('Dead')
  return draft.finish()
}
