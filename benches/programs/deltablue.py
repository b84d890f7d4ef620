"""DeltaBlue: an incremental solver of one-way dataflow constraint hierarchies."""

CHAIN = 3000
PROJECTION = 3000
ROUNDS = 4

# Strengths: the smaller the number the stronger the constraint.
REQUIRED = 0
STRONG_PREFERRED = 1
PREFERRED = 2
STRONG_DEFAULT = 3
NORMAL = 4
WEAK_DEFAULT = 5
WEAKEST = 6

# Directions of a two-way constraint.
NONE = 0
FORWARD = 1
BACKWARD = -1


class Variable:
    """A value, the constraints on it, and what the current plan says of it."""

    def __init__(self, name, value=0):
        self.name = name
        self.value = value
        self.constraints = []
        self.determined_by = None
        self.mark = 0
        self.walk_strength = WEAKEST
        self.stay = True

    def add(self, constraint):
        self.constraints.append(constraint)

    def remove(self, constraint):
        self.constraints.remove(constraint)
        if self.determined_by is constraint:
            self.determined_by = None


class Constraint:
    def __init__(self, planner, strength):
        self.planner = planner
        self.strength = strength

    def post(self):
        self.attach()
        self.planner.add(self)

    def destroy(self):
        if self.is_satisfied():
            self.planner.remove(self)
        else:
            self.detach()

    def satisfy(self, mark):
        """Try to enforce this constraint; return the one it overrides, if any."""
        self.choose_method(mark)
        if not self.is_satisfied():
            if self.strength == REQUIRED:
                raise ValueError("could not satisfy a required constraint")
            return None
        self.mark_inputs(mark)
        out = self.output()
        overridden = out.determined_by
        if overridden is not None:
            overridden.mark_unsatisfied()
        out.determined_by = self
        if not self.planner.propagate(self, mark):
            raise ValueError("cycle of constraints")
        out.mark = mark
        return overridden

    def is_input(self):
        return False

    def mark_inputs(self, mark):
        for variable in self.inputs():
            variable.mark = mark

    def inputs_known(self, mark):
        for v in self.inputs():
            if not (v.mark == mark or v.stay or v.determined_by is None):
                return False
        return True


class UnaryConstraint(Constraint):
    def __init__(self, planner, variable, strength):
        super().__init__(planner, strength)
        self.variable = variable
        self.satisfied = False
        self.post()

    def attach(self):
        self.variable.add(self)
        self.satisfied = False

    def detach(self):
        if self.variable is not None:
            self.variable.remove(self)
        self.satisfied = False

    def choose_method(self, mark):
        v = self.variable
        self.satisfied = v.mark != mark and self.strength < v.walk_strength

    def is_satisfied(self):
        return self.satisfied

    def mark_unsatisfied(self):
        self.satisfied = False

    def inputs(self):
        return ()

    def output(self):
        return self.variable

    def recalculate(self):
        v = self.variable
        v.walk_strength = self.strength
        v.stay = not self.is_input()
        if v.stay:
            self.execute()

    def execute(self):
        pass


class StayConstraint(UnaryConstraint):
    """The variable should keep its value."""


class EditConstraint(UnaryConstraint):
    """The variable is about to be changed from outside."""

    def is_input(self):
        return True


class BinaryConstraint(Constraint):
    def __init__(self, planner, first, second, strength):
        super().__init__(planner, strength)
        self.first = first
        self.second = second
        self.direction = NONE
        self.post()

    def choose_method(self, mark):
        first, second = self.first, self.second
        if first.mark == mark:
            if second.mark != mark and self.strength < second.walk_strength:
                self.direction = FORWARD
            else:
                self.direction = NONE
        elif second.mark == mark:
            if self.strength < first.walk_strength:
                self.direction = BACKWARD
            else:
                self.direction = NONE
        elif first.walk_strength > second.walk_strength:
            # The first variable is the weaker one.
            self.direction = BACKWARD if self.strength < first.walk_strength else NONE
        else:
            self.direction = FORWARD if self.strength < second.walk_strength else NONE

    def attach(self):
        self.first.add(self)
        self.second.add(self)
        self.direction = NONE

    def detach(self):
        self.first.remove(self)
        self.second.remove(self)
        self.direction = NONE

    def is_satisfied(self):
        return self.direction != NONE

    def mark_unsatisfied(self):
        self.direction = NONE

    def input(self):
        return self.first if self.direction == FORWARD else self.second

    def inputs(self):
        return (self.input(),)

    def output(self):
        return self.second if self.direction == FORWARD else self.first

    def recalculate(self):
        source, out = self.input(), self.output()
        out.walk_strength = max(self.strength, source.walk_strength)
        out.stay = source.stay
        if out.stay:
            self.execute()


class EqualConstraint(BinaryConstraint):
    """Both variables hold the same value."""

    def execute(self):
        self.output().value = self.input().value


class ScaleConstraint(BinaryConstraint):
    """second = first * scale + offset"""

    def __init__(self, planner, source, scale, offset, out, strength):
        self.scale = scale
        self.offset = offset
        super().__init__(planner, source, out, strength)

    def attach(self):
        super().attach()
        self.scale.add(self)
        self.offset.add(self)

    def detach(self):
        super().detach()
        self.scale.remove(self)
        self.offset.remove(self)

    def inputs(self):
        return self.input(), self.scale, self.offset

    def execute(self):
        if self.direction == FORWARD:
            self.second.value = self.first.value * self.scale.value + self.offset.value
        else:
            self.first.value = (self.second.value - self.offset.value) // self.scale.value

    def recalculate(self):
        source, out = self.input(), self.output()
        out.walk_strength = max(self.strength, source.walk_strength)
        out.stay = source.stay and self.scale.stay and self.offset.stay
        if out.stay:
            self.execute()


class Planner:
    def __init__(self):
        self.current_mark = 0

    def new_mark(self):
        self.current_mark += 1
        return self.current_mark

    def add(self, constraint):
        mark = self.new_mark()
        overridden = constraint.satisfy(mark)
        while overridden is not None:
            overridden = overridden.satisfy(mark)

    def remove(self, constraint):
        out = constraint.output()
        constraint.mark_unsatisfied()
        constraint.detach()
        unsatisfied = self.retract_downstream(out)
        for strength in range(REQUIRED, WEAKEST + 1):
            for other in unsatisfied:
                if other.strength == strength:
                    self.add(other)

    def make_plan(self, sources):
        """The order in which to execute everything downstream of some sources."""
        mark = self.new_mark()
        plan = []
        todo = list(sources)
        while todo:
            constraint = todo.pop(0)
            out = constraint.output()
            if out.mark != mark and constraint.inputs_known(mark):
                plan.append(constraint)
                out.mark = mark
                self.add_consuming(out, todo)
        return Plan(plan)

    def plan_for(self, constraints):
        return self.make_plan([c for c in constraints if c.is_input() and c.is_satisfied()])

    def propagate(self, constraint, mark):
        """Recompute what the plan says downstream; False if that meets a cycle."""
        todo = [constraint]
        while todo:
            c = todo.pop(0)
            if c.output().mark == mark:
                constraint.mark_unsatisfied()
                return False
            c.recalculate()
            self.add_consuming(c.output(), todo)
        return True

    def retract_downstream(self, out):
        out.determined_by = None
        out.walk_strength = WEAKEST
        out.stay = True
        unsatisfied = []
        todo = [out]
        while todo:
            v = todo.pop(0)
            for c in v.constraints:
                if not c.is_satisfied():
                    unsatisfied.append(c)
            determining = v.determined_by
            for c in v.constraints:
                if c is not determining and c.is_satisfied():
                    c.recalculate()
                    todo.append(c.output())
        return unsatisfied

    @staticmethod
    def add_consuming(variable, into):
        determining = variable.determined_by
        for c in variable.constraints:
            if c is not determining and c.is_satisfied():
                into.append(c)


class Plan:
    def __init__(self, steps):
        self.steps = steps

    def execute(self):
        for constraint in self.steps:
            constraint.execute()


def chain_test(n):
    """A long chain of equalities: the edit at one end must reach the other."""
    planner = Planner()
    variables = [Variable(f"v{i}") for i in range(n + 1)]
    for a, b in zip(variables, variables[1:]):
        EqualConstraint(planner, a, b, REQUIRED)
    first, last = variables[0], variables[-1]
    StayConstraint(planner, last, STRONG_DEFAULT)
    edit = EditConstraint(planner, first, PREFERRED)
    plan = planner.plan_for([edit])
    total = 0
    for i in range(100):
        first.value = i
        plan.execute()
        if last.value != i:
            raise ValueError("chain test failed")
        total += last.value
    edit.destroy()
    return total


def change(planner, variable, value):
    edit = EditConstraint(planner, variable, PREFERRED)
    plan = planner.plan_for([edit])
    for _ in range(10):
        variable.value = value
        plan.execute()
    edit.destroy()


def projection_test(n):
    """Many pairs tied by one scale and one offset, edited from every side."""
    planner = Planner()
    scale = Variable("scale", 10)
    offset = Variable("offset", 1000)
    sources, outs = [], []
    for i in range(n):
        source = Variable(f"src{i}", i)
        out = Variable(f"dst{i}", i)
        sources.append(source)
        outs.append(out)
        StayConstraint(planner, source, NORMAL)
        ScaleConstraint(planner, source, scale, offset, out, REQUIRED)

    change(planner, source, 17)
    if out.value != 1170:
        raise ValueError("projection test 1 failed")
    change(planner, out, 1050)
    if source.value != 5:
        raise ValueError("projection test 2 failed")
    change(planner, scale, 5)
    for i in range(n - 1):
        if outs[i].value != i * 5 + 1000:
            raise ValueError("projection test 3 failed")
    change(planner, offset, 2000)
    for i in range(n - 1):
        if outs[i].value != i * 5 + 2000:
            raise ValueError("projection test 4 failed")
    return sum(out.value for out in outs)


def bench() -> object:
    result = None
    for _ in range(ROUNDS):
        result = chain_test(CHAIN), projection_test(PROJECTION)
    return result


if __name__ == "__main__":
    print(bench())
